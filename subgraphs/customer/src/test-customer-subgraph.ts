import type { Clock, Identity } from '@sextant/domain';
import { loadConfig, type RunningSubgraph, signRequest } from '@sextant/platform';
import { openStream, startTestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { customerConfig, startCustomerSubgraph } from './customer-subgraph.js';
import { DEFAULT_FOLDING_TIMES, type FoldingTimes } from './surroundings.js';

const SECRET = 'a secret of thirty-two characters';
export const NOW = new Date('2026-03-01T12:00:00Z');
export const INGEST =
  'mutation($e:[EventInput]!){ ingestEvents(events:$e){ accepted duplicates watermark rejected{ index id code path } } }';

/** What a GraphQL endpoint answers. */
export interface Answer {
  data?: Record<string, any> | null; // eslint-disable-line @typescript-eslint/no-explicit-any
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

export function anIdentity(
  tenantId = 'demo',
  scopes = ['customer:read', 'profile:read', 'events:write'],
): Identity {
  return { subject: 'someone', tenantId, roles: ['analyst'], scopes };
}

/** A row for ingestion: a page visit of `shop:1` an hour ago unless said otherwise. */
export function anEventInput(event: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: crypto.randomUUID(),
    type: 'page_visit',
    at: '2026-03-01T11:00:00Z',
    customerRef: 'shop:1',
    ...event,
  };
}

/** The subgraph on free ports over a store of its own, with the clock standing still. */
export async function aCustomerSubgraph(
  options: { uri?: string; foldingTimes?: Partial<FoldingTimes>; timeoutMs?: number } = {},
) {
  const mongo =
    options.uri === undefined ? await startTestMongo() : { uri: options.uri, stop: async () => undefined };
  const clock: Clock & { at: Date } = { at: NOW, now: () => clock.at };
  const config = loadConfig(customerConfig, {
    ...{ PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'silent', SEXTANT_SIGNING_SECRET: SECRET },
    ...{ MONGODB_URI: mongo.uri, MONGODB_TIMEOUT_MS: String(options.timeoutMs ?? 5_000) },
  });
  const foldingTimes = { ...DEFAULT_FOLDING_TIMES, ...options.foldingTimes };
  const subgraph = await startCustomerSubgraph(config, { clock, foldingTimes });
  const client = await new MongoClient(mongo.uri).connect();
  const askAs = (identity: Identity, query: string, variables: Record<string, unknown> = {}) =>
    ask(subgraph, { query, variables }, identity);
  return {
    subgraph,
    clock,
    db: client.db(),
    askAs,
    subscribe: (query: string, identity = anIdentity(), variables: Record<string, unknown> = {}) => {
      const url = `${subgraph.url}/stream`;
      return openStream(url, signed('/graphql/stream', { query, variables }, identity));
    },
    ask: (query: string, variables?: Record<string, unknown>) => askAs(anIdentity(), query, variables),
    ingest: async (events: unknown[], identity = anIdentity()) =>
      (await askAs(identity, INGEST, { e: events })).data?.['ingestEvents'],
    async stop() {
      await client.close();
      await subgraph.close();
      await mongo.stop();
    },
  };
}

/** Asks until `holds`, for at most ten seconds; the last answer is for the message. */
export async function eventually<T>(question: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await question();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still not so after 10 s: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(subgraph: RunningSubgraph, request: unknown, identity: Identity): Promise<Answer> {
  const response = await fetch(subgraph.url, { method: 'POST', ...signed('/graphql', request, identity) });
  return (await response.json()) as Answer;
}

function signed(path: string, request: unknown, identity: Identity) {
  const body = JSON.stringify(request);
  const signing = { secret: SECRET, nowMs: Date.now() };
  const headers = {
    'content-type': 'application/json',
    ...signRequest({ receiver: 'customer', method: 'POST', path, body }, identity, signing),
  };
  return { body, headers };
}
