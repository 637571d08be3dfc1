import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { CACHE_DIRECTORY, findMongod, freePort, startMongod } from '@sextant/local-services';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { startTestMongo } from './test-mongo.js';

describe('startMongod', () => {
  it('offers transactions, which need a replica set', async () => {
    const mongo = await startTestMongo();
    const client = new MongoClient(mongo.uri);
    await client.db().createCollection('a');
    const inserted = await client.withSession((session) =>
      session.withTransaction(() => client.db().collection('a').insertOne({ n: 1 }, { session })),
    );
    expect(inserted.acknowledged).toBe(true);
    await client.close();
    await mongo.stop();
  });

  it('takes up its data again on another port', async () => {
    const { path: binary } = await findMongod({ env: process.env, cacheDir: CACHE_DIRECTORY });
    const dataDir = await mkdtemp(join(tmpdir(), 'sextant-mongo-'));
    const first = await startMongod({ binary, dataDir, port: await freePort() });
    await withClient(first.uri, (client) => client.db('kept').collection('a').insertOne({ n: 1 }));
    await first.stop();
    const second = await startMongod({ binary, dataDir, port: await freePort() });
    expect(second.uri).not.toBe(first.uri);
    expect(await withClient(second.uri, (client) => client.db('kept').collection('a').countDocuments())).toBe(
      1,
    );
    await second.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
});

describe('findMongod', () => {
  it('says which five ways there are when the named program is none', async () => {
    const search = findMongod({ env: { MONGOD_BINARY: '/nowhere/mongod' }, cacheDir: '/nowhere' });
    await expect(search).rejects.toThrow(DomainError);
    await expect(search).rejects.toThrow(
      /\/nowhere\/mongod[\s\S]*MONGODB_URI[\s\S]*MONGOD_BINARY[\s\S]*PATH[\s\S]*mongodb-memory-server[\s\S]*wheel/,
    );
  });
});

async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri);
  return use(client).finally(() => client.close());
}
