import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';

/** A process that has to stay up; `start` resolves when the child is spawned, not when it is ready. */
export interface Supervised {
  name: string;
  start(): Promise<ChildProcess>;
  /** resolves once the process does its work */
  ready(): Promise<boolean>;
}

const RESTART_DELAY_MS = 1_000;
const STOP_LIMIT_MS = 12_000;
const READY_LIMIT_MS = 90_000;
/** More deaths than this within a minute and it is no accident. */
const DEATHS_PER_MINUTE = 6;

/** Keeps processes running: starts them, writes their ids, restarts what dies, stops all in reverse order. */
export class Supervisor {
  private readonly running = new Map<string, ChildProcess>();
  private stopping = false;

  /** @param onEvent  told in words about each death and return */
  constructor(
    private readonly dataDir: string,
    private readonly onEvent: (text: string) => void,
  ) {}

  async start(process: Supervised): Promise<void> {
    await this.spawn(process, []);
    await this.becomesReady(process);
  }

  pids(): Record<string, number> {
    return Object.fromEntries([...this.running].map(([name, child]) => [name, child.pid ?? -1]));
  }

  /** Last started, first stopped; each gets time to finish what it holds. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const [name, child] of [...this.running].reverse()) {
      await endChild(child);
      await rm(this.pidFile(name), { force: true });
    }
    this.running.clear();
  }

  private async spawn(process: Supervised, deaths: readonly number[]): Promise<void> {
    const child = await process.start();
    this.running.set(process.name, child);
    await mkdir(join(this.dataDir, 'run'), { recursive: true });
    await writeFile(this.pidFile(process.name), String(child.pid));
    child.once('exit', (code, signal) => {
      if (!this.stopping) void this.restart(process, [...deaths, Date.now()], signal ?? `code ${code}`);
    });
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
    await sleep(RESTART_DELAY_MS);
    if (this.stopping) return;
    await this.spawn(process, recent).catch((error: unknown) => {
      this.onEvent(
        `${process.name} could not be started again: ${error instanceof Error ? error.message : String(error)}`,
      );
      return this.restart(process, [...recent, Date.now()], 'no start');
    });
  }

  private async becomesReady(process: Supervised): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    const child = this.running.get(process.name);
    while (!(await process.ready().catch(() => false))) {
      const ended = child === undefined || child.exitCode !== null || child.signalCode !== null;
      if (!ended && Date.now() < deadline) {
        await sleep(100);
        continue;
      }
      const log = await tail(logPath(this.dataDir, process.name));
      const what = ended ? 'ended before it was ready' : `was not ready within ${READY_LIMIT_MS / 1000} s`;
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

/** A Node process in a group of its own, so that Ctrl-C reaches it through the launcher and in order. */
export async function spawnNode(
  script: string,
  options: { name: string; dataDir: string; env: Record<string, string>; args?: string[] },
): Promise<ChildProcess> {
  await mkdir(join(options.dataDir, 'logs'), { recursive: true });
  const log = openSync(logPath(options.dataDir, options.name), 'a');
  try {
    return spawn(process.execPath, ['--enable-source-maps', script, ...(options.args ?? [])], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
  } finally {
    closeSync(log);
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await gone.finally(() => clearTimeout(killer));
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-12).join('\n');
}
