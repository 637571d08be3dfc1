import type { ReadinessCheck } from '@sextant/platform';
import type { GatewayContext } from '../pipeline/operation.js';
import { isOwnSubgraph } from '../subgraphs/subgraph-endpoints.js';
import type { LiveEngines } from '../supergraph/live-engines.js';

const QUERY = '{ __typename }';

/**
 * Not ready until each of the company's own subgraphs has answered once; after that a dead subgraph costs its fields and not the endpoint.
 * A partner's is not waited for: its outage must not keep a gateway from starting.
 */
export function subgraphsCheck(engines: LiveEngines): ReadinessCheck {
  const names = engines.current.engine.supergraph.subgraphs.map(({ name }) => name);
  const waitingFor = new Set(names.filter(isOwnSubgraph));
  return {
    name: 'subgraphs',
    async isReady() {
      for (const name of [...waitingFor]) if (await answers(engines, name)) waitingFor.delete(name);
      return waitingFor.size === 0;
    },
  };
}

async function answers(engines: LiveEngines, subgraph: string): Promise<boolean> {
  const { transport, engine } = engines.current;
  if (!engine.supergraph.subgraphs.some(({ name }) => name === subgraph)) return true; // a reload has taken it out
  const context: GatewayContext = {
    identity: { subject: 'gateway', tenantId: 'gateway', roles: [], scopes: [] },
    audience: 'company',
    requestId: 'readiness',
    client: { name: 'gateway', version: null, address: '' },
    deadlineMs: Date.now() + 5_000,
    ledger: { fetches: 0, joined: 0, cached: 0, estimatedCost: null },
  };
  const { errors } = await transport.execute(subgraph, {
    query: QUERY,
    queryJson: JSON.stringify(QUERY),
    variables: undefined,
    operationName: undefined,
    operationType: 'query',
    context,
  });
  return !errors;
}
