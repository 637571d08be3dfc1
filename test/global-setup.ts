import { SHARED_MONGO, startMongoServer } from '@sextant/testing';

/** One real mongod for the whole run; each test file gets a database of its own. */
export async function setup(): Promise<() => Promise<void>> {
  const server = await startMongoServer();
  process.env[SHARED_MONGO] = server.uri;
  return () => server.stop();
}
