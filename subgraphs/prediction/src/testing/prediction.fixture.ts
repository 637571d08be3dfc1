import { type Identity, ROLE_SCOPES } from '@sextant/domain';
import { customerIdOf, emptyState, FeatureStore, foldEvents, type StoredEvent } from '@sextant/features';
import { loadConfig, type RunningSubgraph, signRequest } from '@sextant/platform';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { predictionConfig } from '../prediction.config.js';
import { startPrediction } from '../prediction-process.js';
import { FixtureCatalogue } from './catalogue.fixture.js';
import { FixtureWorker } from './worker.fixture.js';

export const SECRET = 'a secret of thirty-two characters';

/** What a GraphQL endpoint answers; tests read it freely. */
export interface Answer {
  data?: any; // eslint-disable-line @typescript-eslint/no-explicit-any
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

export function anIdentity(overrides: Partial<Identity> = {}): Identity {
  return {
    subject: 'user-1',
    tenantId: 'demo',
    roles: ['operator'],
    scopes: ROLE_SCOPES.operator,
    ...overrides,
  };
}

/** The subgraph on free ports over a real store, a worker that can die, and a catalogue that can go away. */
export async function aPrediction(
  options: { env?: Record<string, string>; mongo?: Pick<TestMongo, 'uri' | 'stop'> } = {},
) {
  const mongo = options.mongo ?? (await startTestMongo());
  const worker = new FixtureWorker();
  const catalogue = new FixtureCatalogue(SECRET);
  await worker.start();
  const campaignUrl = await catalogue.start();
  const config = loadConfig(predictionConfig, {
    ...{
      PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'silent',
      DECISION_BUDGET_MS: '2000',
      MONGODB_URI: mongo.uri,
    },
    ...{
      SEXTANT_SIGNING_SECRET: SECRET,
      INFERENCE_URL: worker.address,
      CAMPAIGN_URL: campaignUrl,
      ...options.env,
    },
  });
  const subgraph = await startPrediction(config);
  const client = await new MongoClient(mongo.uri).connect();
  const stopping = { isStopped: false };
  return {
    subgraph,
    worker,
    catalogue,
    db: client.db(),
    ask: (query: string, variables: Record<string, unknown> = {}, as: Identity = anIdentity()) =>
      ask(subgraph, { query, variables }, as),
    /** Ids of customers with the given events, in order. */
    async customers(histories: readonly Partial<StoredEvent>[][], tenantId = 'demo'): Promise<string[]> {
      const states = histories.map((events, i) => {
        const customerId = customerIdOf(tenantId, `test:${i}`);
        return foldEvents(
          emptyState(customerId),
          events.map((event, k) => anEvent(event, { tenantId, customerId, k })),
        );
      });
      const entries = states.map((state) => ({ state, revision: 0 }));
      await new FeatureStore(client.db()).save(tenantId, entries, new Date());
      return states.map(({ customerId }) => customerId);
    },
    metrics: async () => (await fetch(subgraph.metricsUrl)).text(),
    async stopSubgraph() {
      if (!stopping.isStopped) await subgraph.close();
      stopping.isStopped = true;
    },
    async stop() {
      await this.stopSubgraph();
      worker.die();
      await Promise.all([catalogue.stop(), client.close()]);
      await mongo.stop();
    },
  };
}
export type Prediction = Awaited<ReturnType<typeof aPrediction>>;

export const viewed = (productId: string, at = '2026-03-01T00:00:00Z'): Partial<StoredEvent> => ({
  type: 'product_view',
  at: new Date(at),
  properties: { productId },
});

export const leadForm = (budget: number): Partial<StoredEvent> => ({
  type: 'lead_submitted',
  at: new Date('2026-03-02T00:00:00Z'),
  properties: { budget, industry: 'steel' },
});

/** Polls until the condition holds; a failure shows what was seen last. */
export async function until<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  withinMs: number,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function anEvent(
  event: Partial<StoredEvent>,
  { tenantId, customerId, k }: { tenantId: string; customerId: string; k: number },
): StoredEvent {
  return { _id: `${tenantId} ${customerId} ${k}`, tenantId, customerId, ...event } as StoredEvent;
}

async function ask(subgraph: RunningSubgraph, request: unknown, identity: Identity): Promise<Answer> {
  const body = JSON.stringify(request);
  const headers = signRequest({ receiver: 'prediction', method: 'POST', path: '/graphql', body }, identity, {
    secret: SECRET,
    nowMs: Date.now(),
  });
  const response = await fetch(subgraph.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return (await response.json()) as Answer;
}
