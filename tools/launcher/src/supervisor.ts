import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';

/** A process that has to stay up. */
export interface Supervised {
  name: string;
  /** Resolves when the process is spawned, not when it is ready; `onSpawn` is told of it at once, so that it can be stopped. */
  start(onSpawn: (child: ChildProcess) => void): Promise<void>;
  /** resolves once the process does its work */
  ready(): Promise<boolean>;
}

interface Times {
  restartDelayMs: number;
  stopLimitMs: number;
  readyLimitMs: number;
}
const TIMES: Times = { restartDelayMs: 1_000, stopLimitMs: 12_000, readyLimitMs: 90_000 };

/** More deaths than this within a minute and it is no accident. */
const DEATHS_PER_MINUTE = 6;

/** Keeps processes running: starts them, writes their ids, restarts what dies, stops all in reverse order. */
export class Supervisor {
  private readonly running = new Map<string, ChildProcess>();
  private readonly starting = new Set<Promise<void>>();
  private readonly times: Times;
  private stopping = false;

  /** @param onEvent  told in words about each death and return */
  constructor(
    private readonly dataDir: string,
    private readonly onEvent: (text: string) => void,
    times: Partial<Times> = {},
  ) {
    this.times = { ...TIMES, ...times };
  }

  /** @throws DomainError with the end of its log when the process ends, or takes too long, before it is ready */
  async start(process: Supervised): Promise<void> {
    await this.spawn(process);
    await this.becomesReady(process);
    this.watch(process, []);
  }

  /** Last started, first stopped; each gets time to finish what it holds. Nothing starts any more. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.endAll();
    await Promise.allSettled(this.starting);
    await this.endAll();
  }

  private async endAll(): Promise<void> {
    for (const [name, child] of [...this.running].reverse()) {
      await endChild(child, this.times.stopLimitMs);
      await rm(this.pidFile(name), { force: true });
      this.running.delete(name);
    }
  }

  private async spawn(process: Supervised): Promise<void> {
    if (this.stopping) throw new DomainError('CONFIG_INVALID', `${process.name} does not start: stopping`);
    const started = process.start((child) => this.register(process.name, child));
    this.starting.add(started);
    await started.finally(() => this.starting.delete(started));
  }

  private register(name: string, child: ChildProcess): void {
    this.running.set(name, child); // a restarted one keeps its place in the order
    try {
      mkdirSync(join(this.dataDir, 'run'), { recursive: true });
      writeFileSync(this.pidFile(name), String(child.pid));
    } catch (error) {
      this.onEvent(`the id of ${name} could not be written: ${messageOf(error)}`);
    }
  }

  private watch(process: Supervised, deaths: readonly number[]): void {
    const child = this.running.get(process.name);
    const restart = (how: string): void => {
      if (!this.stopping) void this.restart(process, [...deaths, Date.now()], how);
    };
    if (!child || hasEnded(child)) restart('at once');
    else child.once('exit', (code, signal) => restart(signal ?? `code ${code}`));
  }

  private async restart(process: Supervised, deaths: readonly number[], how: string): Promise<void> {
    const recent = deaths.filter((time) => Date.now() - time < 60_000);
    if (recent.length > DEATHS_PER_MINUTE) {
      this.onEvent(
        `${process.name} ended ${recent.length} times within a minute (${how}) and stays down; its log: ${logPath(this.dataDir, process.name)}`,
      );
      return;
    }
    this.onEvent(`${process.name} ended (${how}); starting it again`);
    await sleep(this.times.restartDelayMs);
    if (this.stopping) return;
    try {
      await this.spawn(process);
    } catch (error) {
      if (this.stopping) return;
      this.onEvent(`${process.name} could not be started again: ${messageOf(error)}`);
      return this.restart(process, [...recent, Date.now()], 'no start');
    }
    this.watch(process, recent);
  }

  private async becomesReady(process: Supervised): Promise<void> {
    const deadline = Date.now() + this.times.readyLimitMs;
    const child = this.running.get(process.name);
    while (!(await process.ready().catch(() => false))) {
      const ended = child === undefined || hasEnded(child);
      if (!ended && Date.now() < deadline) {
        await sleep(100);
        continue;
      }
      const log = await tail(logPath(this.dataDir, process.name));
      const what = ended
        ? 'ended before it was ready'
        : `was not ready within ${this.times.readyLimitMs / 1000} s`;
      throw new DomainError('CONFIG_INVALID', `${process.name} ${what}; the end of its log:\n${log}`);
    }
  }

  private pidFile(name: string): string {
    return join(this.dataDir, 'run', `${name}.pid`);
  }
}

export function logPath(dataDir: string, name: string): string {
  return join(dataDir, 'logs', `${name}.log`);
}

/** Batches of events in flight outlive a young generation of the default size and would be copied: about a tenth of the work. */
const NODE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=64'] as const;

/** A Node process in a group of its own, so that Ctrl-C reaches it through the launcher and in order. */
export async function spawnNode(
  script: string,
  options: {
    name: string;
    dataDir: string;
    env: Record<string, string>;
    args?: string[];
    onSpawn: (child: ChildProcess) => void;
  },
): Promise<void> {
  await mkdir(join(options.dataDir, 'logs'), { recursive: true });
  const log = openSync(logPath(options.dataDir, options.name), 'a');
  try {
    const child = spawn(process.execPath, [...NODE_FLAGS, script, ...(options.args ?? [])], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
    // Without a process there is no 'exit' to hear of, and an 'error' that nobody hears would end the launcher alone.
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    child.on('error', () => undefined);
    options.onSpawn(child);
  } finally {
    closeSync(log);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function endChild(child: ChildProcess, limitMs: number): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  await gone.finally(() => clearTimeout(killer));
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-12).join('\n');
}
