import type { Clock, Identity } from '@sextant/domain';
import { loadConfig, type RunningSubgraph, signRequest } from '@sextant/platform';
import { startTestMongo } from '@sextant/testing';
import { campaignConfig, startCampaignSubgraph } from './campaign-subgraph.js';

const SECRET = 'a secret of thirty-two characters';

/** What a GraphQL endpoint answers. */
export interface Answer {
  data?: Record<string, any> | null; // eslint-disable-line @typescript-eslint/no-explicit-any
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

export const marketer: Identity = {
  subject: 'user-1',
  tenantId: 'demo',
  roles: ['marketer'],
  scopes: ['catalogue:read', 'catalogue:write', 'campaign:read', 'campaign:write'],
};

/** The subgraph on free ports over an empty store, with a clock that the test moves. */
export async function aCampaignSubgraph() {
  const mongo = await startTestMongo();
  const clock: Clock & { at: Date } = { at: new Date('2026-03-01T00:00:00Z'), now: () => clock.at };
  const config = loadConfig(campaignConfig, {
    ...{ PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'silent' },
    ...{ MONGODB_URI: mongo.uri, SEXTANT_SIGNING_SECRET: SECRET },
  });
  const subgraph = await startCampaignSubgraph(config, { clock });
  return {
    subgraph,
    clock,
    mongo,
    ask: (query: string, variables: Record<string, unknown> = {}, as: Identity = marketer) =>
      ask(subgraph, { query, variables }, as),
    async stop() {
      await subgraph.close();
      await mongo.stop();
    },
  };
}

async function ask(subgraph: RunningSubgraph, request: unknown, identity: Identity): Promise<Answer> {
  const body = JSON.stringify(request);
  const signed = signRequest({ receiver: 'campaign', method: 'POST', path: '/graphql', body }, identity, {
    secret: SECRET,
    nowMs: Date.now(),
  });
  const response = await fetch(subgraph.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...signed },
  });
  return (await response.json()) as Answer;
}
