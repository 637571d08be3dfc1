import { DEADLINE_HEADER } from '@sextant/platform';
import { afterEach, describe, expect, it } from 'vitest';
import type { SubgraphAnswer, SubgraphFetch } from '../engine/engine.js';
import type { SubgraphClient } from './subgraph.client.js';
import { aClient, aFetch, aFickleSubgraph, BEHAVIOURS, type Behaviour } from './test-subgraph.js';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ended.splice(0).map((end) => end()));
});

async function over(script: Behaviour[], options: Parameters<typeof aClient>[1] = {}) {
  const subgraph = await aFickleSubgraph(...script);
  const { client, registry } = aClient(subgraph.url, options);
  ended.push(
    () => client.close(),
    () => subgraph.stop(),
  );
  return { subgraph, client, registry };
}

const codes = ({ errors }: SubgraphAnswer): unknown[] =>
  (errors ?? []).map(({ extensions }) => extensions['code']);

async function ask(client: SubgraphClient, fetch: SubgraphFetch = aFetch()): Promise<unknown[]> {
  return codes(await client.execute(fetch));
}

describe('a subgraph that answers garbage', () => {
  const garbage: (keyof typeof BEHAVIOURS)[] = [
    'html',
    'truncatedJson',
    'list',
    'dataIsText',
    'dataIsList',
    'errorsAreText',
    'noErrors',
    'nothing',
    'empty',
    'redirect',
    'breaksOff',
    'huge',
  ];
  it.each(garbage)('%s is SUBGRAPH_ANSWER_INVALID', async (name) => {
    const { client, subgraph } = await over([BEHAVIOURS[name]]);
    const answer = await client.execute(aFetch());
    expect(codes(answer)).toEqual(['SUBGRAPH_ANSWER_INVALID']);
    expect(answer.data).toBeUndefined();
    expect(subgraph.requests).toHaveLength(1);
  });

  it('says nothing of what it was in the message', async () => {
    const { client } = await over([BEHAVIOURS.html]);
    const { errors } = await client.execute(aFetch());
    expect(errors?.[0]?.message).not.toContain('html');
  });

  it('keeps errors readable whose members have the wrong types', async () => {
    const body =
      '{"data":null,"errors":[null,"x",{"message":1,"path":"p","extensions":3},{"message":"m","path":["a",0]}]}';
    const { client } = await over([(response) => void response.end(body)]);
    const { errors } = await client.execute(aFetch());
    expect(errors?.map(({ message, path }) => [message, path])).toEqual([
      ['undefined', undefined],
      ['undefined', undefined],
      ['1', undefined],
      ['m', ['a', 0]],
    ]);
  });

  it('hides a refusal of our own request', async () => {
    const body =
      '{"errors":[{"message":"Cannot query field secret","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}';
    const { client } = await over([(response) => void response.writeHead(400).end(body)]);
    const { errors } = await client.execute(aFetch());
    expect(errors?.[0]?.extensions['code']).toBe('SUBGRAPH_UNAVAILABLE');
    expect(errors?.[0]?.message).not.toContain('secret');
  });
});

describe('a subgraph that takes its time', () => {
  it.each(['silent', 'drip'] as const)('%s ends with SUBGRAPH_DEADLINE_EXCEEDED', async (name) => {
    const { client, subgraph } = await over([BEHAVIOURS[name]], { timeoutMs: 150 });
    const startedMs = performance.now();
    expect(await ask(client)).toEqual(['SUBGRAPH_DEADLINE_EXCEEDED']);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await expect.poll(() => subgraph.abandoned).toBe(1);
  });

  it('is told until when somebody waits: the earlier of request and timeout', async () => {
    const { client, subgraph } = await over([BEHAVIOURS.ok], { timeoutMs: 1_000 });
    const nowMs = Date.now();
    await client.execute(aFetch({ context: { deadlineMs: nowMs + 300 } }));
    await client.execute(aFetch({ context: { deadlineMs: nowMs + 60_000 } }));
    const [first, second] = subgraph.requests.map((headers) => Number(headers[DEADLINE_HEADER]));
    expect(first).toBe(nowMs + 300);
    expect(second).toBeGreaterThanOrEqual(nowMs + 1_000);
    expect(second).toBeLessThan(nowMs + 2_000);
  });

  it('is not asked at all once the request is over its deadline', async () => {
    const { client, subgraph } = await over([BEHAVIOURS.ok]);
    const late = aFetch({ context: { deadlineMs: Date.now() - 1 } });
    expect(await ask(client, late)).toEqual(['SUBGRAPH_DEADLINE_EXCEEDED']);
    expect(subgraph.requests).toHaveLength(0);
    expect(late.context.ledger.fetches).toBe(0);
  });

  it('is let go when the client leaves', async () => {
    const { client, subgraph } = await over([BEHAVIOURS.silent]);
    const leaving = new AbortController();
    const answer = ask(client, aFetch({ context: { signal: leaving.signal } }));
    await expect.poll(() => subgraph.requests.length).toBe(1);
    leaving.abort();
    expect(await answer).toEqual(['REQUEST_CANCELLED']);
    await expect.poll(() => subgraph.abandoned).toBe(1);
  });
});

describe('a mutation', () => {
  it('goes on when its client leaves', async () => {
    let finish: () => void = () => undefined;
    const { client, subgraph } = await over([
      (response) => {
        finish = () => void response.end('{"data":{"a":1}}');
      },
    ]);
    const leaving = new AbortController();
    const answer = client.execute(aFetch({ operationType: 'mutation', context: { signal: leaving.signal } }));
    await expect.poll(() => subgraph.requests.length).toBe(1);
    leaving.abort();
    finish();
    expect(await answer).toEqual({ data: { a: 1 } });
    expect(subgraph.abandoned).toBe(0);
  });
});

describe('retries', () => {
  it.each(['reset', 'unavailable'] as const)('a query survives two answers of %s', async (name) => {
    const { client, subgraph } = await over([BEHAVIOURS[name], BEHAVIOURS[name], BEHAVIOURS.ok]);
    expect(await client.execute(aFetch())).toEqual({ data: { a: 1 } });
    expect(subgraph.requests).toHaveLength(3);
  });

  it('end after three attempts', async () => {
    const { client, subgraph } = await over([BEHAVIOURS.reset]);
    expect(await ask(client)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    expect(subgraph.requests).toHaveLength(3);
  });

  it.each(['reset', 'unavailable'] as const)('a mutation is never sent again after %s', async (name) => {
    const { client, subgraph } = await over([BEHAVIOURS[name], BEHAVIOURS.ok]);
    expect(await ask(client, aFetch({ operationType: 'mutation' }))).toEqual(['SUBGRAPH_UNAVAILABLE']);
    expect(subgraph.requests).toHaveLength(1);
  });

  it('never pass the deadline', async () => {
    const { client, subgraph } = await over([BEHAVIOURS.reset]);
    const hasty = aFetch({ context: { deadlineMs: Date.now() + 12 } });
    await client.execute(hasty);
    expect(subgraph.requests.length).toBeLessThanOrEqual(1);
  });

  it('are a tenth of the fetches in the long run, however many fail', async () => {
    const { client, subgraph, registry } = await over([BEHAVIOURS.ok]);
    const pattern = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? BEHAVIOURS.reset : BEHAVIOURS.ok));
    subgraph.script = pattern;
    for (let i = 0; i < 120; i += 1) await client.execute(aFetch());
    const [{ value } = { value: 0 }] =
      (await registry.getSingleMetric('sextant_gateway_subgraph_retries_total')?.get())?.values ?? [];
    expect(value).toBeGreaterThanOrEqual(10);
    expect(value).toBeLessThanOrEqual(10 + 12);
    expect(subgraph.requests).toHaveLength(120 + value);
  });
});

describe('a subgraph that fails all the time', () => {
  it('is left alone, with the time to try again, and taken back after one answered probe', async () => {
    const { client, subgraph } = await over([BEHAVIOURS.html]);
    for (let i = 0; i < 20; i += 1) expect(await ask(client)).toEqual(['SUBGRAPH_ANSWER_INVALID']);
    const { errors } = await client.execute(aFetch());
    expect(errors?.[0]?.extensions).toEqual({
      code: 'SUBGRAPH_CIRCUIT_OPEN',
      retryAfterMs: expect.any(Number) as number,
    });
    expect(subgraph.requests).toHaveLength(20);
    subgraph.script = [BEHAVIOURS.ok];
    await expect.poll(() => ask(client), { timeout: 2_000 }).toEqual([]);
    expect(subgraph.requests).toHaveLength(21);
    expect(await ask(client)).toEqual([]);
  });

  it('is not given up for clients that allow too little time or leave', async () => {
    const { client } = await over([BEHAVIOURS.silent], { timeoutMs: 1_000 });
    const hasty = Array.from({ length: 40 }, () =>
      ask(client, aFetch({ context: { deadlineMs: Date.now() + 30 } })),
    );
    expect(new Set((await Promise.all(hasty)).flat())).toEqual(new Set(['SUBGRAPH_DEADLINE_EXCEEDED']));
    const gone = AbortSignal.abort();
    const left = await Promise.all(
      Array.from({ length: 40 }, () => ask(client, aFetch({ context: { signal: gone } }))),
    );
    expect(new Set(left.flat())).toEqual(new Set(['REQUEST_CANCELLED']));
    const last = aFetch({ context: { deadlineMs: Date.now() + 30 } });
    expect(await ask(client, last)).toEqual(['SUBGRAPH_DEADLINE_EXCEEDED']);
  });
});
