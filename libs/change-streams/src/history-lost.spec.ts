import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CACHE_DIRECTORY, findMongod, freePort } from '@sextant/local-services';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChangeFeed } from './change-feed.js';

let folder: string;
let mongod: ChildProcess;
let client: MongoClient;

/** A store that remembers a megabyte of writes, and forgets at checkpoints, of which it makes one a second. */
beforeAll(async () => {
  const { path } = await findMongod({ env: process.env, cacheDir: CACHE_DIRECTORY });
  folder = await mkdtemp(join(tmpdir(), 'sextant-oplog-'));
  const port = await freePort();
  const short = ['--oplogSize', '1', '--syncdelay', '1', '--wiredTigerCacheSizeGB', '0.5'];
  const where = ['--port', String(port), '--bind_ip', '127.0.0.1', '--dbpath', folder];
  mongod = spawn(path, ['--replSet', 'short', ...where, ...short], { stdio: 'ignore' });
  client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
  const admin = client.db('admin');
  const config = { _id: 'short', members: [{ _id: 0, host: `127.0.0.1:${port}` }] };
  const initiated = () => admin.command({ replSetInitiate: config }).then(Boolean, () => false);
  await until(initiated);
  const isPrimary = async () => (await admin.command({ hello: 1 }))['isWritablePrimary'] as boolean;
  await until(isPrimary);
});
afterAll(async () => {
  await client?.close();
  mongod?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('the store was not ready within 30 s');
    await pause(100);
  }
}

it('a place that the store has forgotten is refused as CURSOR_EXPIRED', async () => {
  const rows = client.db('short').collection<Document>('rows');
  const feed = new ChangeFeed(rows, { read: (row) => row, onProblem: () => undefined });
  const first = await feed.subscribe({ tenantId: 'a', select: (change) => change });
  const after = first.position;
  await first.return();
  await feed.close();
  const text = 'x'.repeat(4_000_000);
  const refusal = async (): Promise<unknown> => {
    await rows.insertMany([1, 2, 3].map((n) => ({ tenantId: 'b', n, text })));
    await rows.deleteMany({ tenantId: 'b' });
    try {
      const again = await feed.subscribe({ tenantId: 'a', after, select: (change) => change });
      await again.return();
      await feed.close();
      return null;
    } catch (error) {
      return error;
    }
  };
  await expect
    .poll(refusal, { timeout: 25_000, interval: 200 })
    .toMatchObject({ code: 'CURSOR_EXPIRED', path: 'after' });
});
