import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type GraphAnswer, until } from '../support/graph.js';
import type { RunningSextant } from '../support/running-sextant.js';

/** The id under which the launcher runs a process now. */
export async function pidOf(sextant: RunningSextant, name: string): Promise<number> {
  return Number(await readFile(join(sextant.dataDir, 'run', `${name}.pid`), 'utf8'));
}

/** Ends a process without warning. @returns the id that died */
export async function killHard(sextant: RunningSextant, name: string): Promise<number> {
  const pid = await pidOf(sextant, name);
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Waits until the launcher has started another one, and that one is ready. @returns the time at which it was */
export async function untilBack(
  sextant: RunningSextant,
  name: string,
  diedPid: number,
  healthUrl: string | null,
): Promise<number> {
  await until(`${name} with a new id`, 30_000, async () => (await pidOf(sextant, name)) !== diedPid);
  if (healthUrl)
    await until(`${name} ready`, 30_000, async () => (await fetch(healthUrl).catch(() => null))?.ok);
  return Date.now();
}

export interface TimedAnswer<T> {
  askedAt: number;
  tookMs: number;
  answer: GraphAnswer<T>;
}

/** Asks at a steady rate, not waiting for answers, until the time is over. */
export async function load<T>(options: {
  perSecond: number;
  seconds: number;
  url: string;
  token: string;
  question: (n: number) => { query: string; variables: Record<string, unknown> };
}): Promise<TimedAnswer<T>[]> {
  const began = Date.now();
  const pending: Promise<TimedAnswer<T>>[] = [];
  for (let n = 0; n < options.perSecond * options.seconds; n += 1) {
    await sleep(Math.max(0, began + (n * 1000) / options.perSecond - Date.now()));
    const { query, variables } = options.question(n);
    const askedAt = Date.now();
    pending.push(
      ask<T>(options.url, options.token, query, variables).then((answer) => ({
        askedAt,
        tookMs: Date.now() - askedAt,
        answer,
      })),
    );
  }
  return Promise.all(pending);
}
