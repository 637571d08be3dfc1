import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preflight, releaseData } from './preflight.js';
import { type Ports, readSettings, type Settings } from './settings.js';

const PLENTY = () => Promise.resolve(10e9);
const NEEDED = 1_500_000_000;

let folder: string;
let servers: Server[] = [];
let children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sextant-preflight-'));
});
afterEach(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  for (const child of children) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  [servers, children] = [[], []];
  await rm(folder, { recursive: true, force: true });
});

async function listening(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Ports that the system gave and took back, so that nothing listens there. */
async function freePorts(count: number): Promise<number[]> {
  const ports = await Promise.all(Array.from({ length: count }, listening));
  for (const server of servers.splice(-count)) await new Promise((resolve) => server.close(resolve));
  return ports;
}

async function settings(over: Partial<Ports> = {}): Promise<Settings> {
  const [gateway = 0, customer = 0, campaign = 0, prediction = 0, worker = 0, mongod = 0, ...rest] =
    await freePorts(12);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = rest;
  const metrics = { gateway: a, customer: b, campaign: c, prediction: d, worker: e, trainer: f };
  return {
    ...readSettings({ SEXTANT_DATA_DIR: join(folder, 'data') }, { empty: true, repositoryRoot: folder }),
    ports: { gateway, customer, campaign, prediction, worker, mongod, metrics, ...over },
  };
}

describe('preflight', () => {
  it('makes the data folder and is content with free ports and room', async () => {
    await preflight(await settings(), true, () => Promise.resolve(NEEDED));
    expect(await readdir(folder)).toEqual(['data']);
  });

  it('says how much room there is, how much is needed, and what helps', async () => {
    const refused = preflight(await settings(), true, () => Promise.resolve(NEEDED - 1e8));
    await expect(refused).rejects.toThrow(
      /data has 1\.4 GB free and 1\.5 GB are needed: free some space or set SEXTANT_DATA_DIR/,
    );
    await expect(preflight(await settings(), true, () => Promise.resolve(NEEDED - 1))).rejects.toThrow(
      /needed/,
    );
  });

  it('names every port in use and what would stand there', async () => {
    const [first, second] = [await listening(), await listening()];
    const refused = preflight(await settings({ gateway: first, mongod: second }), true, PLENTY);
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`port ${first} (gateway), port ${second} (mongod)`),
    });
    await expect(refused).rejects.toThrow(/SEXTANT_PORT_BASE/);
  });

  it('does not mind the port of mongod when the store is somebody else’s', async () => {
    await preflight(await settings({ mongod: await listening() }), false, PLENTY);
  });

  it('refuses a data folder that is a file, and names it', async () => {
    const wanted = await settings();
    await writeFile(wanted.dataDir, '');
    await expect(preflight(wanted, true, PLENTY)).rejects.toThrow(
      /data cannot be made or written \(EEXIST\): set SEXTANT_DATA_DIR/,
    );
  });

  it.skipIf(process.getuid?.() === 0)('refuses a data folder that may not be written', async () => {
    const wanted = await settings();
    await mkdir(wanted.dataDir);
    await chmod(wanted.dataDir, 0o500);
    await expect(preflight(wanted, true, PLENTY)).rejects.toThrow(/cannot be made or written \(EACCES\)/);
  });
});

describe('preflight after a launcher that was killed', () => {
  async function pidFile(wanted: Settings, name: string, pid: number | string): Promise<void> {
    await mkdir(join(wanted.dataDir, 'run'), { recursive: true });
    await writeFile(join(wanted.dataDir, 'run', `${name}.pid`), String(pid));
  }

  it('names the processes that are still there and how to end them', async () => {
    const wanted = await settings();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)', 'sextant'], {
      stdio: 'ignore',
    });
    children.push(child);
    await once(child, 'spawn');
    await pidFile(wanted, 'customer', child.pid ?? 0);
    await expect(preflight(wanted, true, PLENTY)).rejects.toThrow(
      new RegExp(`already runs on .*data: customer \\(${child.pid}\\).*kill ${child.pid}\\)`),
    );
  });

  it('names the launcher alone as what to end while it is alive', async () => {
    const wanted = await settings();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)', 'sextant'], {
      stdio: 'ignore',
    });
    children.push(child);
    await once(child, 'spawn');
    await pidFile(wanted, 'launcher', child.pid ?? 0);
    await pidFile(wanted, 'customer', child.pid ?? 0);
    await expect(preflight(wanted, true, PLENTY)).rejects.toThrow(
      new RegExp(`launcher \\(${child.pid}\\).*kill ${child.pid}\\)$`),
    );
    await releaseData(wanted.dataDir);
    expect(await readdir(join(wanted.dataDir, 'run'))).toContain('launcher.pid');
  });

  it('leaves the id of the launcher for the next start to find, until the data is released', async () => {
    const wanted = await settings();
    await preflight(wanted, true, PLENTY);
    expect(await readFile(join(wanted.dataDir, 'run/launcher.pid'), 'utf8')).toBe(String(process.pid));
    await releaseData(wanted.dataDir);
    expect(await readdir(join(wanted.dataDir, 'run'))).toEqual([]);
  });

  it('takes over the claim of a launcher that is gone', async () => {
    const wanted = await settings();
    const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
    await once(child, 'exit');
    await pidFile(wanted, 'launcher', child.pid ?? 0);
    await preflight(wanted, true, PLENTY);
    expect(await readFile(join(wanted.dataDir, 'run/launcher.pid'), 'utf8')).toBe(String(process.pid));
    expect(await readdir(join(wanted.dataDir, 'run'))).toEqual(['launcher.pid']);
  });

  it('passes over ids of processes that are gone, and files that hold none', async () => {
    const wanted = await settings();
    const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
    await once(child, 'exit');
    await pidFile(wanted, 'customer', child.pid ?? 0);
    await pidFile(wanted, 'gateway', 'nonsense');
    await preflight(wanted, true, PLENTY);
  });
});
