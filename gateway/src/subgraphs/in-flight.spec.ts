import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { aClient, aFetch, aFickleSubgraph, BEHAVIOURS, NOBODY } from './test-subgraph.js';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ended.splice(0).map((end) => end()));
});

/** A subgraph that answers nothing until it is told to. */
async function aWaitingSubgraph() {
  const waiting: ServerResponse[] = [];
  const subgraph = await aFickleSubgraph((response) => void waiting.push(response));
  const { client } = aClient(subgraph.url, { timeoutMs: 25_000 });
  ended.push(
    () => client.close(),
    () => subgraph.stop(),
  );
  const answer = (body = '{"data":{"a":{"b":1}}}'): void => {
    for (const response of waiting.splice(0)) response.end(body);
  };
  return { subgraph, client, answer };
}

describe('equal queries in flight', () => {
  it('are one request, and each gets an answer of its own to change', async () => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const fetches = [aFetch(), aFetch(), aFetch()];
    const pending = Promise.all(fetches.map((fetch) => client.execute(fetch)));
    await expect.poll(() => subgraph.requests.length).toBe(1);
    answer();
    const answers = await pending;
    expect(answers).toEqual(Array(3).fill({ data: { a: { b: 1 } } }));
    expect(new Set(answers.map(({ data }) => data)).size).toBe(3);
    expect(new Set(answers.map(({ data }) => data?.['a'])).size).toBe(3);
    expect(fetches.map(({ context }) => [context.ledger.fetches, context.ledger.joined])).toEqual([
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
    expect(subgraph.requests).toHaveLength(1);
  });

  it.each([
    ['subject', { ...NOBODY, subject: 'another' }],
    ['tenant', { ...NOBODY, tenantId: 'other' }],
    ['roles', { ...NOBODY, roles: ['web'] }],
    ['scopes', { ...NOBODY, scopes: [] }],
  ])('are never joined over another %s', async (_, identity) => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const pending = [client.execute(aFetch()), client.execute(aFetch({ context: { identity } }))];
    await expect.poll(() => subgraph.requests.length).toBe(2);
    answer();
    await Promise.all(pending);
  });

  it('differ by variables and by text', async () => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const pending = [
      client.execute(aFetch()),
      client.execute(aFetch({ variables: { id: 1 } })),
      client.execute(aFetch({ variables: { id: 2 } })),
      client.execute(aFetch({ query: '{ a b }' })),
    ];
    await expect.poll(() => subgraph.requests.length).toBe(4);
    answer();
    await Promise.all(pending);
  });

  it('are not joined over a mutation that ended between them', async () => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const before = client.execute(aFetch());
    await expect.poll(() => subgraph.requests.length).toBe(1);
    subgraph.script = [BEHAVIOURS.ok, ...subgraph.script];
    await client.execute(aFetch({ operationType: 'mutation', query: 'mutation { a }' }));
    const after = client.execute(aFetch());
    await expect.poll(() => subgraph.requests.length).toBe(3);
    answer();
    await Promise.all([before, after]);
  });

  it('never join mutations', async () => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const mutation = () => client.execute(aFetch({ operationType: 'mutation', query: 'mutation { a }' }));
    const pending = [mutation(), mutation()];
    await expect.poll(() => subgraph.requests.length).toBe(2);
    answer();
    await Promise.all(pending);
  });

  it('go on while one of those who wait is left, and end with the last', async () => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const leaving = [new AbortController(), new AbortController(), new AbortController()];
    const ask = (one: AbortController | undefined) =>
      client.execute(aFetch({ context: one ? { signal: one.signal } : {} }));
    const [first, second] = [ask(leaving[0]), ask(leaving[1])];
    await expect.poll(() => subgraph.requests.length).toBe(1);
    leaving[0]?.abort();
    expect((await first).errors?.[0]?.extensions['code']).toBe('REQUEST_CANCELLED');
    expect(subgraph.abandoned).toBe(0);
    answer();
    expect((await second).data).toEqual({ a: { b: 1 } });
    const last = ask(leaving[2]);
    await expect.poll(() => subgraph.requests.length).toBe(2);
    leaving[2]?.abort();
    await last;
    await expect.poll(() => subgraph.abandoned).toBe(1);
  });

  it('end for each at its own deadline; who waits much longer asks for itself', async () => {
    const { client, subgraph, answer } = await aWaitingSubgraph();
    const within = (ms: number) => client.execute(aFetch({ context: { deadlineMs: Date.now() + ms } }));
    const long = within(8_000);
    const short = within(100);
    const longest = within(60_000);
    await expect.poll(() => subgraph.requests.length).toBe(2);
    expect((await short).errors?.[0]?.extensions['code']).toBe('SUBGRAPH_DEADLINE_EXCEEDED');
    answer();
    expect((await long).data).toEqual({ a: { b: 1 } });
    expect((await longest).data).toEqual({ a: { b: 1 } });
  });
});
