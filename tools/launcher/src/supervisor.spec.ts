import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { logPath, spawnNode, type Supervised, Supervisor } from './supervisor.js';

const STAYS = 'setInterval(() => 0, 1000)';
const DEAF = `process.on('SIGTERM', () => 0); console.log('up'); ${STAYS}`;
const within = { timeout: 10_000, interval: 5 };

let dataDir: string;
let supervisor: Supervisor;
let events: string[];
let born: Map<string, ChildProcess[]>;
let ended: string[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sextant-supervisor-'));
  [events, born, ended] = [[], new Map(), []];
  supervisor = new Supervisor(dataDir, (text) => events.push(text), {
    restartDelayMs: 0,
    readyLimitMs: 5_000,
  });
});
afterEach(async () => {
  await supervisor.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const births = (name: string): ChildProcess[] => born.get(name) ?? [];

/** A real Node process that runs the code given, or another one at each start. */
function aProcess(name: string, code: string | ((start: number) => string) = STAYS): Supervised {
  return {
    name,
    async start(onSpawn) {
      const start = births(name).length;
      const script = typeof code === 'string' ? code : code(start);
      const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
      born.set(name, [...births(name), child]);
      child.once('exit', () => ended.push(name));
      onSpawn(child);
      await once(child, 'spawn');
    },
    ready: () => Promise.resolve(true),
  };
}

describe('a supervised process', () => {
  it('is started again when it dies, with its new id on record', async () => {
    await supervisor.start(aProcess('worker'));
    const [first] = births('worker');
    first?.kill('SIGKILL');
    await vi.waitFor(() => expect(births('worker')).toHaveLength(2), within);
    const second = births('worker')[1];
    expect(await readFile(join(dataDir, 'run/worker.pid'), 'utf8')).toBe(String(second?.pid));
    expect(events).toEqual(['worker ended (SIGKILL); starting it again']);
  });

  it('stays down after seven deaths within a minute, and says where its log is', async () => {
    await supervisor.start(aProcess('worker', (start) => (start === 0 ? STAYS : 'process.exit(3)')));
    births('worker')[0]?.kill('SIGKILL');
    await vi.waitFor(() => expect(events.at(-1)).toMatch(/stays down/), within);
    expect(events.at(-1)).toBe(
      `worker ended 7 times within a minute (code 3) and stays down; its log: ${logPath(dataDir, 'worker')}`,
    );
    expect(births('worker')).toHaveLength(7);
  });

  it('is tried again when its start fails', async () => {
    const good = aProcess('mongod');
    let attempts = 0;
    const stubborn: Supervised = {
      ...good,
      start: (onSpawn) =>
        (attempts += 1) === 2 ? Promise.reject(new Error('no room')) : good.start(onSpawn),
    };
    await supervisor.start(stubborn);
    births('mongod')[0]?.kill('SIGKILL');
    await vi.waitFor(() => expect(births('mongod')).toHaveLength(2), within);
    expect(events[1]).toBe('mongod could not be started again: no room');
  });

  it('that ends before it is ready is reported with the end of its log, and not started again', async () => {
    await mkdir(join(dataDir, 'logs'));
    await writeFile(logPath(dataDir, 'gateway'), 'SEXTANT_JWKS cannot be read\n');
    const never = { ...aProcess('gateway', 'process.exit(1)'), ready: () => Promise.resolve(false) };
    await expect(supervisor.start(never)).rejects.toThrow(
      /gateway ended before it was ready[\s\S]*SEXTANT_JWKS/,
    );
    expect(births('gateway')).toHaveLength(1);
    expect(events).toEqual([]);
  });
});

describe('stop', () => {
  it('ends the last started first, also when the first was restarted, and forgets the ids', async () => {
    for (const name of ['mongod', 'customer', 'gateway']) await supervisor.start(aProcess(name));
    births('mongod')[0]?.kill('SIGKILL');
    await vi.waitFor(() => expect(births('mongod')).toHaveLength(2), within);
    ended = [];
    await supervisor.stop();
    expect(ended).toEqual(['gateway', 'customer', 'mongod']);
    for (const name of ['mongod', 'customer', 'gateway'])
      expect(existsSync(join(dataDir, `run/${name}.pid`))).toBe(false);
  });

  it('ends a process by force that does not leave in time', async () => {
    supervisor = new Supervisor(dataDir, () => undefined, { stopLimitMs: 20 });
    await supervisor.start(aProcess('worker', DEAF));
    const [child] = births('worker');
    if (child?.stdout) await once(child.stdout, 'data');
    await supervisor.stop();
    expect(child?.signalCode).toBe('SIGKILL');
  });

  it('reaches a process whose start has not come to its end, and lets none begin after it', async () => {
    const slow = aProcess('mongod');
    let spawned = (): void => undefined;
    const isThere = new Promise<void>((resolve) => (spawned = resolve));
    const starting = supervisor.start({
      ...slow,
      async start(onSpawn) {
        await slow.start(onSpawn);
        const [child] = births('mongod');
        spawned();
        if (child) await once(child, 'exit');
        throw new Error('ended while it came up');
      },
    });
    const outcome = expect(starting).rejects.toThrow(/ended while it came up/);
    await isThere;
    await supervisor.stop();
    await outcome;
    expect(births('mongod')[0]?.signalCode).toBe('SIGTERM');
    await expect(supervisor.start(aProcess('customer'))).rejects.toThrow(/stopping/);
    expect(births('customer')).toEqual([]);
  });
});

describe('spawnNode', () => {
  it('fails the start, and not the launcher, when there is no executable any more', async () => {
    const real = process.execPath;
    process.execPath = join(dataDir, 'gone');
    try {
      const onSpawn = vi.fn();
      const started = spawnNode('any.js', { name: 'worker', dataDir, env: {}, onSpawn });
      await expect(started).rejects.toThrow('ENOENT');
      expect(onSpawn).not.toHaveBeenCalled();
    } finally {
      process.execPath = real;
    }
  });
});
