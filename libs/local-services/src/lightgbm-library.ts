import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@sextant/domain';
import type { BinarySearch } from './mongod-binary.js';

const run = promisify(execFile);

const VERSION = '4.7.0';
const DOWNLOAD_LIMIT_MS = 120_000;

const THREE_WAYS = `no LightGBM library could be had; models are trained with their linear baseline. Any one of these helps:
  1. set LIGHTGBM_LIBRARY to lib_lightgbm (.so, .dylib or .dll), version 4
  2. install LightGBM where libraries live (Homebrew: brew install lightgbm; conda: conda install lightgbm)
  3. have python3 with pip and a package registry, for the wheel lightgbm==${VERSION}
On Linux the library also needs libgomp1 (Debian, Ubuntu: apt-get install libgomp1), on macOS libomp (brew install libomp).`;

export interface LightGbmSearch extends BinarySearch {
  /** Folders where the system keeps libraries; the platform's own when absent. */
  systemDirs?: readonly string[];
}

/**
 * Path of a LightGBM shared library: LIGHTGBM_LIBRARY → the system's library folders → the PyPI wheel, kept in the cache.
 * The file is not loaded here: a fault while loading kills a process, so that happens in the training process.
 *
 * @throws DomainError LIGHTGBM_UNAVAILABLE naming all three ways
 */
export async function findLightGbm(search: LightGbmSearch): Promise<string> {
  const named = search.env['LIGHTGBM_LIBRARY'];
  if (named) {
    if (await exists(named)) return named;
    throw new DomainError(
      'LIGHTGBM_UNAVAILABLE',
      `LIGHTGBM_LIBRARY is "${named}", which cannot be read\n${THREE_WAYS}`,
    );
  }
  for (const folder of search.systemDirs ?? systemDirs(search.env)) {
    for (const name of libraryNames()) {
      if (await exists(join(folder, name))) return join(folder, name);
    }
  }
  const cached = join(search.cacheDir, `lightgbm-${VERSION}`, wheelLibraryName());
  if (await exists(cached)) return cached;
  return unpackWheel(cached).catch((cause: unknown) => {
    throw new DomainError('LIGHTGBM_UNAVAILABLE', THREE_WAYS, { cause });
  });
}

function systemDirs(env: BinarySearch['env']): string[] {
  const prefixes = [env['CONDA_PREFIX'], env['HOMEBREW_PREFIX']].filter((prefix) => prefix !== undefined);
  const usual = [
    '/opt/homebrew/lib',
    '/usr/local/lib',
    '/usr/lib',
    '/usr/lib64',
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
    '/home/linuxbrew/.linuxbrew/lib',
    join(homedir(), 'miniconda3', 'lib'),
    join(homedir(), 'miniforge3', 'lib'),
  ];
  return [...prefixes.map((prefix) => join(prefix, 'lib')), ...usual];
}

function libraryNames(): string[] {
  if (process.platform === 'win32') return ['lib_lightgbm.dll'];
  return process.platform === 'darwin'
    ? ['lib_lightgbm.dylib', 'lib_lightgbm.so']
    : ['lib_lightgbm.so', 'lib_lightgbm.so.4'];
}

function wheelLibraryName(): string {
  return libraryNames()[0] ?? 'lib_lightgbm.so';
}

async function unpackWheel(target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), 'unpack-'));
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', work];
    await run('python3', [...pip, `lightgbm==${VERSION}`], { timeout: DOWNLOAD_LIMIT_MS });
    const wheel = (await readdir(work)).find((file) => file.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip left no wheel');
    await run('python3', ['-m', 'zipfile', '--extract', join(work, wheel), work], {
      timeout: DOWNLOAD_LIMIT_MS,
    });
    await rename(await libraryIn(work), target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function libraryIn(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true });
  const found = files.find((file) => file.endsWith(wheelLibraryName()));
  if (found === undefined) throw new Error(`the wheel holds no ${wheelLibraryName()}`);
  return join(folder, found);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
