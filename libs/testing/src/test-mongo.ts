import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE_DIRECTORY, findMongod, freePort, startMongod } from '@sextant/local-services';
import { MongoClient } from 'mongodb';

/** Set by the test run's global set-up, so that all files share one mongod and differ in the database. */
export const SHARED_MONGO = 'SEXTANT_TEST_MONGODB_URI';
export interface TestMongo {
  /** names a database of this test file's own */
  uri: string;
  stop(): Promise<void>;
}

/** A real mongod (replica set) with an empty database: the run's shared one, else one of its own. */
export async function startTestMongo(): Promise<TestMongo> {
  const shared = process.env[SHARED_MONGO];
  if (!shared) {
    const own = await startMongoServer();
    return { uri: withDatabase(own.uri), stop: () => own.stop() };
  }
  const uri = withDatabase(shared);
  return {
    uri,
    async stop() {
      const client = new MongoClient(uri);
      await client
        .db()
        .dropDatabase()
        .finally(() => client.close());
    },
  };
}

/** A mongod in a temporary folder; for tests that kill it, and for the shared one. */
export async function startMongoServer(): Promise<{
  uri: string;
  port: number;
  dataDir: string;
  binary: string;
  pid: number;
  stop(): Promise<void>;
}> {
  const { path: binary } = await findMongod({ env: process.env, cacheDir: CACHE_DIRECTORY });
  const dataDir = await mkdtemp(join(tmpdir(), 'sextant-mongo-'));
  const port = await freePort();
  const running = await startMongod({ binary, dataDir, port });
  return {
    uri: running.uri,
    port,
    dataDir,
    binary,
    pid: running.process.pid ?? -1,
    async stop() {
      await running.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function withDatabase(uri: string): string {
  return uri.replace('/?', `/test_${randomBytes(6).toString('hex')}?`);
}
