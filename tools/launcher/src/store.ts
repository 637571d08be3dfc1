import { join } from 'node:path';
import { CACHE_DIRECTORY, findMongod, startMongod } from '@sextant/local-services';
import { MongoClient } from 'mongodb';
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
      () => ping(given),
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
      async start() {
        const running = await startMongod(options);
        uri = running.uri;
        return running.process;
      },
      ready: () => Promise.resolve(true),
    }),
  );
  return uri.replace('/?', `/${DATABASE}?`);
}

async function ping(uri: string): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
  await client
    .db()
    .command({ ping: 1 })
    .finally(() => client.close());
}
