import { status } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import { afterEach, describe, expect, it } from 'vitest';
import { toStatusAnswer } from '../grpc-status.js';
import { ask, askMany, poke, PoolHarness, refuse } from '../testing/pool-harness.js';
import { until } from '../testing/worker-server.js';

const harness = new PoolHarness();
afterEach(() => harness.end());

describe('retries', () => {
  it('go to another worker when one is full', async () => {
    const [full, free] = [
      await harness.worker(refuse(status.RESOURCE_EXHAUSTED, '20')),
      await harness.worker(),
    ];
    const client = await harness.client([full, free]);
    await until(() => (poke(client), full.calls > 0));
    await expect(askMany(client, 5)).resolves.toHaveLength(5);
  });

  it('leave a full pool alone: each worker is asked once and the hint is passed on', async () => {
    const workers = [
      await harness.worker(refuse(status.RESOURCE_EXHAUSTED, '700')),
      await harness.worker(refuse(status.RESOURCE_EXHAUSTED, '700')),
    ];
    const client = await harness.client(workers);
    await expect(ask(client)).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfterMs: 700 });
    expect(workers.map(({ calls }) => calls)).toEqual([1, 1]);
    await expect(ask(client)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect(workers.reduce((sum, { calls }) => sum + calls, 0)).toBe(3);
  });

  it.each(['-1', 'soon'])('are not made when the pushback is %s', async (pushback) => {
    const workers = [
      await harness.worker(refuse(status.RESOURCE_EXHAUSTED, pushback)),
      await harness.worker(refuse(status.RESOURCE_EXHAUSTED, pushback)),
    ];
    const client = await harness.client(workers);
    const error: unknown = await ask(client).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'QUEUE_FULL', retryAfterMs: undefined });
    expect(workers.reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
  });

  it.each([status.INVALID_ARGUMENT, status.NOT_FOUND, status.INTERNAL, status.FAILED_PRECONDITION])(
    'are not made after status %i',
    async (code) => {
      const workers = [await harness.worker(refuse(code)), await harness.worker(refuse(code))];
      await expect(ask(await harness.client(workers))).rejects.toBeInstanceOf(DomainError);
      expect(workers.reduce((sum, { calls }) => sum + calls, 0)).toBe(1);
    },
  );

  it('end when their budget is spent, so that an outage is not multiplied', async () => {
    const worker = await harness.worker((_call, reply) =>
      reply(toStatusAnswer(new DomainError('INFERENCE_UNAVAILABLE', 'starting'))),
    );
    const refused: string[] = [];
    const client = await harness.client([worker], {
      retryRatio: 0.1,
      retryReserve: 5,
      breaker: { leastAttempts: 10_000 },
      observer: { budgetSpent: (wanted) => refused.push(wanted) },
    });
    for (let i = 0; i < 100; i++) await ask(client).catch(() => undefined);
    expect(worker.calls).toBeGreaterThanOrEqual(100 + 5);
    expect(worker.calls).toBeLessThanOrEqual(100 + 5 + 10);
    expect(refused.length).toBeGreaterThan(50);
  });

  it('never outlast the deadline of the call', async () => {
    const worker = await harness.worker(refuse(status.UNAVAILABLE, '60'));
    const client = await harness.client([worker], { maxAttempts: 100, breaker: { leastAttempts: 10_000 } });
    const started = performance.now();
    await expect(ask(client, 150)).rejects.toBeInstanceOf(DomainError);
    expect(performance.now() - started).toBeLessThan(400);
  });
});
