import { signRequest } from '@sextant/platform';
import { inject } from 'vitest';

const ROUTER_OF_THE_SUITE = 'http://localhost:4000/';

/**
 * Stands for the suite's HTTP client: its router is our gateway on a free port, and its products subgraph wants signed
 * requests.
 * Nothing else of a request or an answer is touched.
 */
function suiteFetch(url: string, request: { headers: Record<string, string>; method: string; body: string }) {
  const { router, products, secret } = inject('suite');
  if (url === ROUTER_OF_THE_SUITE) return fetch(router, request);
  const identity = { subject: 'suite', tenantId: 'demo', roles: [], scopes: [] };
  const signed = signRequest(
    { receiver: 'products', method: 'POST', path: '/graphql', body: request.body },
    identity,
    {
      secret,
      nowMs: Date.now(),
    },
  );
  return fetch(products, { ...request, headers: { ...request.headers, ...signed } });
}

export { suiteFetch as default };
