import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { after, ask, askMany, poke, PoolHarness } from '../testing/pool-harness.js';
import { until } from '../testing/worker-server.js';
import type { AttemptEnd } from './pool-observer.js';

const harness = new PoolHarness();
afterEach(() => harness.end());

describe('hedging', () => {
  it('takes the first answer and cancels the other attempt', async () => {
    let cancelled = 0;
    const hung = await harness.worker((call) => void call.once('cancelled', () => (cancelled += 1)));
    const won: string[] = [];
    const client = await harness.client([hung, await harness.worker()], {
      hedging: { delayMs: 20 },
      observer: { hedgeWon: ({ endpoint }) => won.push(endpoint) },
    });
    await until(() => (poke(client), hung.calls > 0));
    await askMany(client, 10);
    await until(() => cancelled === hung.calls);
    expect(won.length).toBeGreaterThan(0);
    expect(won).not.toContain(hung.address);
  });

  it('waits for the chosen quantile of the latest latencies', async () => {
    let latency = 5;
    const workers = [await harness.worker(after(() => latency)), await harness.worker(after(() => latency))];
    const kinds: AttemptEnd[] = [];
    const client = await harness.client(workers, {
      hedging: { quantile: 0.95, leastDelayMs: 40 },
      observer: { attemptFinished: (end) => kinds.push(end) },
    });
    await ask(client);
    latency = 300;
    await ask(client);
    expect(kinds.filter(({ kind }) => kind === 'hedge')).toEqual([]);
    latency = 5;
    for (let i = 0; i < 12; i++) await askMany(client, 10);
    latency = 300;
    await ask(client);
    await until(() => kinds.some(({ kind }) => kind === 'hedge'));
  });

  it('is paid from the budget of retries', async () => {
    const workers = [await harness.worker(after(() => 30)), await harness.worker(after(() => 30))];
    const client = await harness.client(workers, { hedging: { delayMs: 1 }, retryRatio: 0, retryReserve: 3 });
    for (let i = 0; i < 10; i++) await ask(client);
    expect(workers.reduce((sum, { calls }) => sum + calls, 0)).toBe(10 + 3);
  });

  it('gives the answer of the other attempt when one fails for a moment', async () => {
    const [failing, slow] = [
      await harness.worker((_call, reply) =>
        setTimeout(() => reply({ code: status.UNAVAILABLE, details: 'draining' }), 60),
      ),
      await harness.worker(after(() => 120)),
    ];
    const client = await harness.client([failing, slow], { hedging: { delayMs: 10 }, maxAttempts: 1 });
    for (let i = 0; i < 6; i++) await expect(ask(client)).resolves.toBeDefined();
    expect(failing.calls).toBeGreaterThan(0);
  });
});
