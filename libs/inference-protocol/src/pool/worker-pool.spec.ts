import { type Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { after, ask, askMany, never, poke, PoolHarness, refuse, stateOf } from '../testing/pool-harness.js';
import { answerOf, aRequest, until } from '../testing/worker-server.js';

const harness = new PoolHarness();
afterEach(() => harness.end());

describe('balancing', () => {
  it('sends fewer calls to the worker that has more of them under way', async () => {
    const slow = await harness.worker(after(() => 200));
    const quick = [await harness.worker(), await harness.worker()];
    const client = await harness.client([slow, ...quick]);
    for (let i = 0; i < 30; i++)
      await Promise.race([askMany(client, 4), until(() => false, 10).catch(() => 0)]);
    for (const one of quick) expect(one.calls).toBeGreaterThan(2 * slow.calls);
  });

  it('uses every connection of a worker', async () => {
    const peers = new Set<string>();
    const worker = await harness.worker((call, reply) => {
      peers.add(call.getPeer());
      setTimeout(() => reply(null, answerOf('CPU')), 20);
    });
    const client = await harness.client([worker], { channelsPerEndpoint: 3 });
    await until(() => peers.size === 3 || (void askMany(client, 9).catch(() => undefined), false));
    expect(peers.size).toBe(3);
  });
});

describe('a worker that goes away', () => {
  it('costs no call: those on it are made again on another', async () => {
    const [doomed, other] = [await harness.worker(never), await harness.worker()];
    const client = await harness.client([doomed, other]);
    const calls = askMany(client, 20);
    await until(() => doomed.calls > 5);
    doomed.kill();
    await expect(calls).resolves.toHaveLength(20);
    await until(() => stateOf(client, doomed)?.state === 'down');
    await askMany(client, 20);
  });

  it('is found again when it is back', async () => {
    const [first, other] = [await harness.worker(), await harness.worker()];
    const client = await harness.client([first, other]);
    first.kill();
    await until(() => stateOf(client, first)?.state === 'down');
    const back = await harness.worker(undefined, { port: first.port });
    await until(() => (poke(client), back.calls > 0));
  });

  it('answers every call again once it is back, also where it is the only one and fell silent', async () => {
    const worker = await harness.worker(never);
    const client = await harness.client([worker]);
    const lost = Promise.allSettled(Array.from({ length: 20 }, () => ask(client)));
    await until(() => worker.calls === 20);
    worker.kill();
    await lost;
    await until(() => client.pool.state === 'open');
    await harness.worker(undefined, { port: worker.port });
    await until(() => client.pool.state === 'closed');
    await expect(askMany(client, 20)).resolves.toHaveLength(20);
  });

  it('gets no new calls after its GOAWAY, and ends those it has', async () => {
    const [leaving, other] = [await harness.worker(after(() => 150)), await harness.worker()];
    const client = await harness.client([leaving, other]);
    const running = askMany(client, 10);
    await until(() => leaving.calls > 0);
    const seen = leaving.calls;
    const left = leaving.drain();
    await running;
    await left;
    await askMany(client, 20);
    expect(leaving.calls).toBe(seen);
  });

  it.each([false, true])(
    'loses no call while connections end by their age, health watched: %s',
    async (watchHealth) => {
      const choices = { maxConnectionAgeMs: 400, ...(watchHealth && { health: 'SERVING' as const }) };
      const workers = [
        await harness.worker(
          after(() => 5),
          choices,
        ),
      ];
      if (!watchHealth)
        workers.push(
          await harness.worker(
            after(() => 5),
            choices,
          ),
        );
      const client = await harness.client(workers, { watchHealth, retryReserve: 0, retryRatio: 0 });
      const endAt = performance.now() + 2_500;
      let answered = 0;
      let longestMs = 0;
      while (performance.now() < endAt) {
        const startedAt = performance.now();
        answered += (await askMany(client, 8)).length;
        longestMs = Math.max(longestMs, performance.now() - startedAt);
      }
      expect(answered).toBeGreaterThan(100);
      expect(longestMs).toBeLessThan(1_000);
    },
  );

  it('says at once why nobody can be asked', async () => {
    const worker = await harness.worker();
    const client = await harness.client([worker]);
    worker.kill();
    await until(() => stateOf(client, worker)?.state === 'down');
    const started = performance.now();
    const error = await ask(client).catch((cause: unknown) => cause);
    expect(performance.now() - started).toBeLessThan(50);
    expect(error).toMatchObject({
      code: 'INFERENCE_UNAVAILABLE',
      message: 'no inference worker takes calls: 1 unreachable',
    });
    expect(String((error as Error).message)).not.toContain(worker.address);
    expect(client.pool.state).toBe('open');
  });
});

describe('a sick worker', () => {
  it('is left out after it failed half of its calls, while others serve, and is back once it recovered', async () => {
    let isSick = true;
    const sick = await harness.worker((_call, reply) =>
      isSick ? reply({ code: status.INTERNAL, details: 'gpu' }) : reply(null, answerOf('CPU')),
    );
    const client = await harness.client([sick, await harness.worker(), await harness.worker()], {
      breaker: { probeAfterMs: 50, longestProbeAfterMs: 100 },
    });
    await until(() => (poke(client), stateOf(client, sick)?.breaker === 'open'));
    const failures = await Promise.allSettled(Array.from({ length: 100 }, () => ask(client)));
    expect(failures.filter(({ status: outcome }) => outcome === 'rejected').length).toBeLessThanOrEqual(2);
    isSick = false;
    await until(() => (poke(client), stateOf(client, sick)?.breaker === 'closed'));
  });

  it('is asked all the same when all are sick, since it may be the model', async () => {
    const workers = [
      await harness.worker(refuse(status.INTERNAL)),
      await harness.worker(refuse(status.INTERNAL)),
    ];
    const client = await harness.client(workers);
    await until(() => (poke(client), client.pool.list().every(({ breaker }) => breaker === 'open')));
    await expect(ask(client)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    expect(client.pool.state).toBe('closed');
  });

  it('costs nothing but probes once it was silent five times in a row, and fails calls at once when it is the only one', async () => {
    let isHung = true;
    const worker = await harness.worker((_call, reply) =>
      isHung ? undefined : reply(null, answerOf('CPU')),
    );
    const client = await harness.client([worker], { breaker: { probeAfterMs: 100 } });
    await Promise.allSettled(Array.from({ length: 5 }, () => ask(client, 400)));
    expect(client.pool.state).toBe('open');
    const started = performance.now();
    for (let i = 0; i < 20; i++)
      await expect(ask(client)).rejects.toMatchObject({ code: 'INFERENCE_UNAVAILABLE' });
    expect((performance.now() - started) / 20).toBeLessThan(5);
    expect(worker.calls).toBe(5);
    isHung = false;
    await until(() => (poke(client), client.pool.state === 'closed'));
  });

  it('is not blamed for deadlines that were too short', async () => {
    const worker = await harness.worker(never);
    const client = await harness.client([worker]);
    await Promise.allSettled(Array.from({ length: 30 }, () => ask(client, 30)));
    expect(client.pool.list()[0]?.breaker).toBe('closed');
  });
});

describe('health', () => {
  it('takes a worker that says NOT_SERVING out, and back in', async () => {
    const [first, second] = [
      await harness.worker(undefined, { health: 'SERVING' }),
      await harness.worker(undefined, { health: 'SERVING' }),
    ];
    const client = await harness.client([first, second], { watchHealth: true });
    await askMany(client, 4);
    first.tell('NOT_SERVING');
    await until(() => stateOf(client, first)?.isServing === false);
    const seen = first.calls;
    await askMany(client, 30);
    expect(first.calls).toBe(seen);
    second.tell('NOT_SERVING');
    await until(() => stateOf(client, second)?.isServing === false);
    await expect(ask(client)).rejects.toMatchObject({ message: expect.stringContaining('2 not serving') });
    first.tell('SERVING');
    await until(() => stateOf(client, first)?.isServing === true);
    await ask(client);
  });

  it('sends nothing to a worker that has not said that it serves', async () => {
    const worker = await harness.worker(undefined, { health: 'NOT_SERVING' });
    const client = harness.connect([worker], { watchHealth: true });
    await expect(ask(client)).rejects.toMatchObject({ message: expect.stringContaining('1 not serving') });
    worker.tell('SERVING');
    await until(() => stateOf(client, worker)?.isServing === true);
    await ask(client);
    expect(worker.calls).toBe(1);
  });

  it('takes a worker without the service to serve', async () => {
    const client = await harness.client([await harness.worker()], { watchHealth: true });
    await askMany(client, 5);
  });
});

describe('closing', () => {
  it('lets running calls end and refuses new ones', async () => {
    const worker = await harness.worker(
      after(() => 100),
      { health: 'SERVING' },
    );
    const client = await harness.client([worker], { watchHealth: true });
    const running = askMany(client, 5);
    await until(() => worker.calls === 5);
    const closed = client.close();
    await expect(ask(client)).rejects.toMatchObject({ code: 'INFERENCE_UNAVAILABLE' });
    await expect(running).resolves.toHaveLength(5);
    await closed;
    await worker.drain();
  });
});

describe('what travels with a call', () => {
  it('is the trace, the tenant, the priority and the routing key, on every attempt', async () => {
    const seen: Metadata[] = [];
    const worker = await harness.worker(({ metadata }, reply) => {
      seen.push(metadata);
      if (seen.length === 1) reply({ code: status.UNAVAILABLE, details: 'again' });
      else reply(null, answerOf('CPU'));
    });
    const client = await harness.client([worker]);
    await client.recommend(aRequest, {
      ...{ deadlineMs: 5_000, traceparent: '00-a-b-01', tracestate: 'v=1' },
      ...{ tenant: 'demo', priority: 'high', routingKey: 'Zoë' },
    });
    expect(seen).toHaveLength(2);
    for (const metadata of seen) {
      expect(metadata.getMap()).toMatchObject({
        traceparent: '00-a-b-01',
        tracestate: 'v=1',
        'sextant-tenant': 'demo',
        'sextant-priority': 'high',
        'sextant-routing-key': 'Zo%C3%AB',
      });
    }
  });
});
