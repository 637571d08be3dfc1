import type { ModelRepository } from '@sextant/artefacts';
import { customerIdOf, emptyState, FeatureStore, foldEvents, type StoredEvent } from '@sextant/features';
import { writeExplainer } from '@sextant/learning/explain';
import { writeLinearModel } from '@sextant/onnx';
import type { Db } from 'mongodb';
import { seeded } from './worker-models.js';

export const TENANT = 'demo';
export const MODEL = `${TENANT}.churn`;
const NOW = Date.now();
const DAY_MS = 86_400_000;
const SAVED_TOGETHER = 2_000;
const TYPES = ['page_visit', 'product_view', 'order', 'email_open'] as const;
const NUMBERS = ['recency.days', 'count.order.30d', 'count.page_visit.7d', 'order.value.mean', 'trait.age'];
const CHANNELS = ['web', 'mail'];

/** Writes the states of so many customers into the feature store, each folded from a few events of their own. @returns their ids */
export async function saveCustomers(db: Db, count: number): Promise<string[]> {
  const store = new FeatureStore(db);
  await store.createIndexes();
  const random = seeded(3);
  const ids: string[] = [];
  while (ids.length < count) {
    const states = Array.from({ length: Math.min(SAVED_TOGETHER, count - ids.length) }, (_, k) => {
      const customerId = customerIdOf(TENANT, `batch:${ids.length + k}`);
      const events = Array.from({ length: 1 + Math.floor(4 * random()) }, (_each, i) =>
        anEvent(customerId, i, random),
      );
      return foldEvents(emptyState(customerId), events);
    });
    const entries = states.map((state) => ({ state, revision: 0 }));
    await store.save(TENANT, entries, new Date(NOW));
    ids.push(...states.map(({ customerId }) => customerId));
  }
  return ids;
}

/** Some ages are texts, as companies write them. */
function anEvent(customerId: string, i: number, random: () => number): StoredEvent {
  const at = new Date(NOW - Math.floor(1 + 100 * random() * DAY_MS));
  const common = { _id: `${TENANT} ${customerId}.${i}`, tenantId: TENANT, customerId, at };
  const draw = random();
  if (draw < 0.15) {
    const age = Math.floor(18 + 60 * random());
    return { ...common, type: 'profile_update', properties: { age: draw < 0.03 ? `${age}` : age } };
  }
  const type = TYPES[Math.floor(random() * TYPES.length)] ?? 'page_visit';
  if (type === 'page_visit')
    return { ...common, type, properties: { channel: random() < 0.5 ? 'web' : 'mail', durationSeconds: 20 } };
  if (type === 'product_view') return { ...common, type, properties: { productId: 'p1' } };
  if (type === 'email_open') return { ...common, type, properties: {} };
  const lines = [{ productId: 'p1', quantity: 1, unitPrice: { amount: '9.90', currency: 'EUR' } }];
  return { ...common, type, properties: { lines, currency: 'EUR' } };
}

/** A logistic churn model over a few columns. @returns the version, not yet in service */
export async function publishChurn(models: ModelRepository, intercept = -1): Promise<number> {
  const numeric = NUMBERS.map((column) => ({
    kind: 'numeric' as const,
    column,
    ...{ fill: 0, transform: 'none' as const, mean: 0, scale: 10, missingIndicator: false },
  }));
  const columns = [
    ...numeric,
    { kind: 'categorical' as const, column: 'visit.channel', categories: CHANNELS },
  ];
  const features = [...NUMBERS, 'visit.channel=web', 'visit.channel=mail', 'visit.channel=(other)'];
  const table = { columns, features, standardised: false };
  const linear = { coefficients: Float64Array.of(0.3, -2, -1, 0.2, 0.1, -0.4, 0.3, 0), intercept };
  const platt = { a: 1, b: 0 };
  const { bytes, ...onnx } = writeLinearModel(linear, { kind: 'probability', platt });
  const means = new Float64Array(features.length);
  const files = new Map<string, Uint8Array>([
    ['model.onnx', bytes],
    ['explain.json', Buffer.from(writeExplainer(table, { method: 'linear', model: linear, means }, platt))],
  ]);
  const spec = {
    ...{ task: 'churn' as const, table, family: 'logistic' as const, explainFile: 'explain.json' },
    bands: { warm: 0.3, hot: 0.6 },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    reliability: [{ upTo: 1, rows: 100, positives: 40 }],
    horizonDays: 30,
  };
  const draft = {
    ...{ model: MODEL, tenantId: TENANT, trainedAt: '2026-03-01T00:00:00Z', seed: 1, onnx, spec },
    ...{ dataSha256: '0'.repeat(64), dataRows: 0, metrics: {}, baselineMetrics: {} },
    warmUpBatchSizes: [1],
  };
  const card = {
    ...{ purpose: 'test', trainingData: 'none', features: [], chosenBecause: 'written by hand' },
    ...{ metrics: {}, baselineMetrics: {}, limitations: ['a test model'], warnings: [] },
  };
  return (await models.publish(draft, files, card)).version;
}
