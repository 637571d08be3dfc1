import {
  access,
  constants,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { portList, type Settings } from './settings.js';

/** Data, logs and models of the demo company, with room to work. */
const NEEDED_BYTES = 1_500_000_000;
const LAUNCHER = 'launcher';

/**
 * Looks for everything that would make a start fail halfway, before anything is started, and claims the data folder.
 *
 * @throws DomainError naming what is in the way and the remedy
 */
export async function preflight(
  settings: Settings,
  withMongod: boolean,
  freeBytes: (folder: string) => Promise<number> = freeBytesOf,
): Promise<void> {
  await checkFolder(settings.dataDir);
  checkRoom(settings.dataDir, await freeBytes(settings.dataDir));
  await checkLeftovers(settings.dataDir);
  await claim(settings.dataDir);
  await checkPorts(settings, withMongod);
}

async function checkFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true })
    .then(() => access(dataDir, constants.W_OK | constants.X_OK))
    .catch((cause: NodeJS.ErrnoException) => {
      throw new DomainError(
        'CONFIG_INVALID',
        `${dataDir} cannot be made or written (${cause.code}): set SEXTANT_DATA_DIR to a folder you may write`,
        { cause },
      );
    });
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function checkRoom(dataDir: string, free: number): void {
  if (free >= NEEDED_BYTES) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new DomainError(
    'CONFIG_INVALID',
    `the disk of ${dataDir} has ${gigabytes(free)} GB free and ${gigabytes(NEEDED_BYTES)} GB are needed: free some space or set SEXTANT_DATA_DIR to another disk`,
  );
}

/** Processes of an earlier run whose launcher was killed would hold the data and the ports; so does a launcher that works now. */
async function checkLeftovers(dataDir: string): Promise<void> {
  const alive = new Map<string, number>();
  const files = await readdir(join(dataDir, 'run')).catch(() => []);
  for (const file of files.filter((name) => name.endsWith('.pid'))) {
    const pid = Number(await readFile(join(dataDir, 'run', file), 'utf8').catch(() => ''));
    if (pid > 0 && pid !== process.pid && isOurs(pid, await commandOf(pid)))
      alive.set(file.replace('.pid', ''), pid);
  }
  if (alive.size === 0) return;
  const launcher = alive.get(LAUNCHER);
  const pids = launcher ?? [...alive.values()].join(' ');
  const names = [...alive].map(([name, pid]) => `${name} (${pid})`).join(', ');
  throw new DomainError(
    'CONFIG_INVALID',
    `Sextant already runs on ${dataDir}: ${names}. Stop it first (Ctrl-C in its terminal, or: kill ${pids})`,
  );
}

/**
 * Puts the launcher's own id beside those of its processes, in one step, so that of two starts at the same moment one finds the other.
 * A claim that is there already is of a launcher that is gone, for {@link checkLeftovers} has looked.
 */
async function claim(dataDir: string): Promise<void> {
  const path = join(dataDir, 'run', `${LAUNCHER}.pid`);
  const mine = `${path}.${process.pid}`;
  await mkdir(join(dataDir, 'run'), { recursive: true });
  await writeFile(mine, String(process.pid));
  try {
    await link(mine, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      await checkLeftovers(dataDir);
      await rename(mine, path);
    });
  } finally {
    await rm(mine, { force: true });
  }
}

/** The end of the claim, when nothing runs on the data any more; a claim of another launcher stays. */
export async function releaseData(dataDir: string): Promise<void> {
  const path = join(dataDir, 'run', `${LAUNCHER}.pid`);
  const holder = await readFile(path, 'utf8').catch(() => '');
  if (holder === String(process.pid)) await rm(path, { force: true });
}

function isOurs(pid: number, command: string | null): boolean {
  if (command !== null) return /mongod|sextant|dist\/main\.js|start\.mjs/.test(command);
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The command line where the system tells it; '' for a process that is gone. */
async function commandOf(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}

async function checkPorts(settings: Settings, withMongod: boolean): Promise<void> {
  const wanted = portList(settings.ports, withMongod);
  const busy = (
    await Promise.all(
      wanted.map(async ([name, port]) => ((await answers(port)) ? `${port} (${name})` : null)),
    )
  ).filter((entry) => entry !== null);
  if (busy.length === 0) return;
  throw new DomainError(
    'CONFIG_INVALID',
    `in use: port ${busy.join(', port ')}. End what holds them, or move Sextant: SEXTANT_PORT_BASE=5000 npm start`,
  );
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (busy: boolean) => {
      socket.destroy();
      resolve(busy);
    };
    socket
      .once('connect', () => done(true))
      .once('error', () => done(false))
      .setTimeout(1_000, () => done(true));
  });
}
