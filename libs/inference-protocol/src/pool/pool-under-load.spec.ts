import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createDecisionsClient, type DecisionsClient } from '../decisions.client.js';
import { aRequest, until } from '../testing/worker-server.js';
import type { WorkerPoolOptions } from './pool-options.js';

/** Workers are processes of their own, which run what the build wrote. */
const WORKER = fileURLToPath(new URL('../../dist/testing/worker.process.js', import.meta.url));

interface WorkerProcess {
  address: string;
  child: ChildProcess;
}

const children: ChildProcess[] = [];
const clients: DecisionsClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function aWorker(latencyMs: number): Promise<WorkerProcess> {
  const child = fork(WORKER, [String(latencyMs)]);
  children.push(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
  });
  return { address: `127.0.0.1:${port}`, child };
}

async function aClient(
  workers: readonly WorkerProcess[],
  options: Omit<WorkerPoolOptions, 'address'> = {},
): Promise<DecisionsClient> {
  const client = createDecisionsClient({
    ...options,
    address: workers.map(({ address }) => address).join(','),
  });
  clients.push(client);
  await until(() => client.pool.list().every(({ state }) => state === 'ready'), 10_000);
  return client;
}

interface Outcome {
  failures: unknown[];
  /** milliseconds of each call, sorted */
  latencies: Float64Array;
}

/** Callers that each wait for their answer before they ask again. */
async function load(
  client: DecisionsClient,
  { calls, callers, onCall }: { calls: number; callers: number; onCall?: (made: number) => void },
): Promise<Outcome> {
  const latencies = new Float64Array(calls);
  const failures: unknown[] = [];
  let made = 0;
  const caller = async (): Promise<void> => {
    while (made < calls) {
      const index = made++;
      onCall?.(index);
      const startedAt = performance.now();
      await client
        .recommend(aRequest, { deadlineMs: 10_000 })
        .catch((error: unknown) => failures.push(error));
      latencies[index] = performance.now() - startedAt;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { failures, latencies: latencies.sort() };
}

const quantile = ({ latencies }: Outcome, q: number): number =>
  latencies[Math.ceil(q * latencies.length) - 1] ?? NaN;

describe('a pool of three workers', () => {
  it('loses no call of 5,000 when one is killed', { timeout: 30_000 }, async () => {
    const workers = await Promise.all([aWorker(1), aWorker(1), aWorker(1)]);
    const client = await aClient(workers);
    const { failures } = await load(client, {
      calls: 5_000,
      callers: 64,
      onCall: (made) => made === 1_500 && workers[1]?.child.kill('SIGKILL'),
    });
    expect(failures).toEqual([]);
    expect(workers[1]?.child.killed).toBe(true);
  });

  it(
    'answers in less than half the time at p99 when calls to a slow one are hedged',
    { timeout: 30_000 },
    async () => {
      // So slow that no stall of a busy machine can be mistaken for it.
      const workers = await Promise.all([aWorker(20), aWorker(20), aWorker(1_500)]);
      const [plain, hedged] = [
        await aClient(workers),
        await aClient(workers, { hedging: { quantile: 0.95, leastDelayMs: 2 } }),
      ];
      await load(hedged, { calls: 150, callers: 24 }); // it knows by then how long a healthy worker takes
      const ratios: number[] = [];
      for (let round = 0; round < 3; round++) {
        const without = quantile(await load(plain, { calls: 250, callers: 24 }), 0.99);
        const withHedges = quantile(await load(hedged, { calls: 250, callers: 24 }), 0.99);
        ratios.push(withHedges / without);
      }
      expect(ratios.sort()[1]).toBeLessThan(0.5);
    },
  );

  it('fails calls in less than 5 ms while all are away', async () => {
    const workers = await Promise.all([aWorker(0), aWorker(0), aWorker(0)]);
    const client = await aClient(workers);
    for (const { child } of workers) child.kill('SIGKILL');
    await until(() => client.pool.state === 'open', 10_000);
    const outcome = await load(client, { calls: 500, callers: 1 });
    expect(outcome.failures).toHaveLength(500);
    expect(outcome.failures[0]).toMatchObject({ code: 'INFERENCE_UNAVAILABLE' });
    expect(quantile(outcome, 0.99)).toBeLessThan(5);
  });
});
