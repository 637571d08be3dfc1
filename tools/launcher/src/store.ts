import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { CACHE_DIRECTORY, findMongod, startMongod } from '@sextant/local-services';
import { type Document, MongoClient } from 'mongodb';
import { DATABASE } from './processes.js';
import type { Progress } from './progress.js';
import type { Settings } from './settings.js';
import type { Supervisor } from './supervisor.js';

/** The store to use: MONGODB_URI when it is given, else a mongod of our own under supervision. */
export async function provideStore(
  settings: Settings,
  progress: Progress,
  supervisor: Supervisor,
): Promise<string> {
  const given = process.env['MONGODB_URI'];
  if (given) {
    await progress.step(
      'store',
      () => checkStore(given),
      () => 'MONGODB_URI',
    );
    return given;
  }
  const found = await progress.step(
    'mongod',
    () => findMongod({ env: process.env, cacheDir: CACHE_DIRECTORY }),
    ({ from }) => from,
  );
  const options = {
    binary: found.path,
    dataDir: join(settings.dataDir, 'mongo'),
    port: settings.ports.mongod,
  };
  let uri = '';
  await progress.step('store', () =>
    supervisor.start({
      name: 'mongod',
      async start(onSpawn) {
        ({ uri } = await startMongod({ ...options, onSpawn }));
      },
      ready: () => Promise.resolve(true),
    }),
  );
  return uri.replace('/?', `/${DATABASE}?`);
}

/**
 * The name and the password that the address may hold are not repeated.
 *
 * @throws DomainError CONFIG_INVALID when nothing answers there, or what answers is no replica set
 */
export async function checkStore(uri: string, limitMs = 5_000): Promise<void> {
  const hello = await askHello(uri, limitMs).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError(
      'CONFIG_INVALID',
      `the store of MONGODB_URI cannot be used: ${reason}. Start it or correct MONGODB_URI; without it Sextant runs a mongod of its own`,
      { cause },
    );
  });
  if (hello['setName'] !== undefined || hello['msg'] === 'isdbgrid') return;
  throw new DomainError(
    'CONFIG_INVALID',
    'the store of MONGODB_URI is a single server, and transactions need a replica set: start mongod with --replSet and run rs.initiate(), or leave MONGODB_URI out',
  );
}

async function askHello(uri: string, limitMs: number): Promise<Document> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: limitMs, connectTimeoutMS: limitMs });
  return client
    .db('admin')
    .command({ hello: 1 })
    .finally(() => client.close());
}
