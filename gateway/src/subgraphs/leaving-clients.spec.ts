import { afterAll, beforeAll, expect, it } from 'vitest';
import { aGateway } from '../test-gateway.js';
import { aFickleSubgraph, BEHAVIOURS } from './test-subgraph.js';

let subgraph: Awaited<ReturnType<typeof aFickleSubgraph>>;
let running: Awaited<ReturnType<typeof aGateway>>;
beforeAll(async () => {
  subgraph = await aFickleSubgraph(BEHAVIOURS.silent);
  running = await aGateway({ CUSTOMER_URL: subgraph.url });
});
afterAll(async () => {
  await running?.stop();
  await subgraph?.stop();
});

it('lets a fetch go when its client leaves', async () => {
  const leaving = new AbortController();
  const token = await running.token();
  const answer = fetch(running.gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ whoami }' }),
    signal: leaving.signal,
  }).catch((error: unknown) => error);
  await expect.poll(() => subgraph.requests.length).toBe(1);
  expect(subgraph.abandoned).toBe(0);
  leaving.abort();
  await answer;
  await expect.poll(() => subgraph.abandoned).toBe(1);
});
