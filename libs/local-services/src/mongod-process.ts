import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';
import { MongoClient } from 'mongodb';

const REPLICA_SET = 'sextant';
const START_LIMIT_MS = 60_000;

export interface MongodOptions {
  binary: string;
  /** holds `db/` and `mongod.log` */
  dataDir: string;
  port: number;
  /** WiredTiger's cache; the default leaves room for the other processes of a small machine */
  cacheGiB?: number;
  /** told of the process as soon as there is one, long before it takes writes */
  onSpawn?: (process: ChildProcess) => void;
}

export interface RunningMongod {
  uri: string;
  process: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts mongod as a one-node replica set, so that transactions and change streams work, and waits until it takes writes.
 *
 * @throws DomainError MONGOD_UNAVAILABLE with the end of mongod's own log when it does not come up
 */
export async function startMongod(options: MongodOptions): Promise<RunningMongod> {
  const { binary, dataDir, port } = options;
  const logPath = join(dataDir, 'mongod.log');
  await mkdir(join(dataDir, 'db'), { recursive: true });
  const child = spawn(binary, argumentsOf(options, logPath), { stdio: 'ignore', detached: true });
  const exited = new Promise<never>((_, reject) => {
    child.once('error', (cause) =>
      reject(new DomainError('MONGOD_UNAVAILABLE', `mongod could not be started from ${binary}`, { cause })),
    );
    child.once('exit', (code) => void explain(logPath, code).then(reject));
  });
  exited.catch(() => undefined);
  options.onSpawn?.(child);
  try {
    await Promise.race([becomePrimary(port), exited]);
  } catch (error) {
    await stopChild(child);
    throw error;
  }
  return {
    uri: `mongodb://127.0.0.1:${port}/?replicaSet=${REPLICA_SET}`,
    process: child,
    stop: () => stopChild(child),
  };
}

function argumentsOf({ dataDir, port, cacheGiB = 1 }: MongodOptions, logPath: string): string[] {
  const flags = {
    replSet: REPLICA_SET,
    port: String(port),
    bind_ip: '127.0.0.1',
    dbpath: join(dataDir, 'db'),
    logpath: logPath,
    wiredTigerCacheSizeGB: String(cacheGiB),
    setParameter: 'diagnosticDataCollectionEnabled=false',
  };
  return ['--logappend', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}

/** A port that is free now, chosen by the system. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function becomePrimary(port: number): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await attempt(port))) {
    if (Date.now() > deadline)
      throw new DomainError(
        'MONGOD_UNAVAILABLE',
        `mongod on port ${port} took no writes within ${START_LIMIT_MS / 1000} s`,
      );
    await sleep(100);
  }
}

/** A client of its own each time: one that failed to connect once stays closed. */
async function attempt(port: number): Promise<boolean> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 500,
    connectTimeoutMS: 500,
  });
  return isPrimary(client, port)
    .catch(() => false)
    .finally(() => client.close());
}

async function isPrimary(client: MongoClient, port: number): Promise<boolean> {
  const admin = client.db('admin');
  const hello = await admin.command({ hello: 1 });
  if (hello['isWritablePrimary'] === true) return true;
  if (hello['setName'] === undefined) {
    const config = { _id: REPLICA_SET, members: [{ _id: 0, host: `127.0.0.1:${port}` }] };
    await admin.command({ replSetInitiate: config }).catch(() => followPort(client, port));
  }
  return false;
}

/** The data may come from a run on another port: the one member then does not know itself until it learns its new address. */
async function followPort(client: MongoClient, port: number): Promise<void> {
  const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
  const host = `127.0.0.1:${port}`;
  if (config.members[0].host === host) return;
  config.members[0].host = host;
  config.version += 1;
  await client.db('admin').command({ replSetReconfig: config, force: true });
}

async function explain(logPath: string, code: number | null): Promise<DomainError> {
  const log = await readFile(logPath, 'utf8').catch(() => '');
  const reasons = log
    .trimEnd()
    .split('\n')
    .slice(-200)
    .filter((line) => /"s":"[EF]"|errno|No space left|Address already in use/i.test(line));
  const hint = /No space left|fatal assertion.*28/i.test(reasons.join(' '))
    ? 'the disk is full: free some space'
    : /Address already in use/i.test(reasons.join(' '))
      ? 'its port is in use: set SEXTANT_PORT_BASE'
      : /DBPathInUse|Unable to lock/i.test(reasons.join(' '))
        ? 'another mongod works on the same data: stop it first, or set SEXTANT_DATA_DIR'
        : `its log is ${logPath}`;
  return new DomainError('MONGOD_UNAVAILABLE', `mongod ended with code ${code ?? 'none'}; ${hint}`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone.finally(() => clearTimeout(killer));
}
