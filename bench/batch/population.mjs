// A company of any number of customers, the same for the same number, and a churn model over what is known of them.
import { customerIdOf, emptyState, featureVector, foldEvents } from '@sextant/features';
import { randomInteger, randomNormal, seededRandom } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { writeTreeForms } from '@sextant/onnx';

export const TENANT = 'demo';
export const MODEL = `${TENANT}.churn`;
export const TREES = 200;
export const LEAVES = 31;
/** From then on nothing has happened yet. */
export const NOW = Date.UTC(2026, 5, 1);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HISTORY_DAYS = 150;
const TEMPLATES = 2_000;
const MOST_EVENTS = 60;
const PRODUCTS = 500;
const INSERTED_TOGETHER = 2_000;
export const CHANNELS = ['web', 'search', 'mail', 'social'];
export const DEVICES = ['desktop', 'phone', 'tablet'];
const SUMMED = ['page_visit', 'product_view', 'order', 'email_sent', 'email_open', 'email_click'];
export const NUMBERS = [
  'tenure.days',
  'recency.days',
  'products.distinct',
  'order.value.mean',
  'order.value.last',
  ...SUMMED.flatMap((type) => [`recency.${type}.days`, ...sums(`count.${type}`)]),
  ...['order.value', 'order.units', 'visit.seconds'].flatMap(sums),
  ...['openRate', 'clickRate'].flatMap((rate) => [30, 90].map((days) => `email.${rate}.${days}d`)),
];

function sums(name) {
  return ['total', '7d', '30d', '90d'].map((part) => `${name}.${part}`);
}

/** Writes the states of all customers straight into the feature store's collection, in the order of nobody's choice. */
export async function seedCustomers(db, count) {
  const templates = templateStates();
  const collection = db.collection('customer_features');
  await collection.createIndex({ tenantId: 1, _id: 1 }, { name: 'all_by_id' });
  for (let from = 0; from < count; from += INSERTED_TOGETHER) {
    const length = Math.min(INSERTED_TOGETHER, count - from);
    const documents = Array.from({ length }, (_, k) => documentOf(templates, from + k));
    await collection.insertMany(documents, { ordered: false });
  }
}

/** Customers differ from their template in when everything happened. */
export function documentOf(templates, i) {
  const customerId = customerIdOf(TENANT, `bench:${i}`);
  const state = shifted(templates[i % TEMPLATES], ((i * 7_919) % 1_009) * 0.02 * DAY_MS);
  return {
    _id: customerId,
    tenantId: TENANT,
    revision: 1,
    foldVersion: 4,
    updatedAt: new Date(NOW),
    state: { ...state, customerId },
  };
}

function shifted(state, byMs) {
  const earlier = (at) => (at === null ? null : at - byMs);
  const sum = (each) => (each === null ? null : { ...each, at: each.at - byMs });
  return {
    ...state,
    firstAt: earlier(state.firstAt),
    lastAt: earlier(state.lastAt),
    lastActiveAt: earlier(state.lastActiveAt),
    engagedAt: earlier(state.engagedAt),
    counters: Object.fromEntries(Object.entries(state.counters).map(([type, each]) => [type, sum(each)])),
    orderValue: sum(state.orderValue),
    orderUnits: sum(state.orderUnits),
    visitSeconds: sum(state.visitSeconds),
    interactions: { ...state.interactions, at: state.interactions.at.map(earlier) },
  };
}

export function templateStates(products = PRODUCTS) {
  const random = seededRandom(11);
  return Array.from({ length: TEMPLATES }, (_, i) => {
    const count = 1 + Math.floor(MOST_EVENTS * random() ** 2);
    const events = Array.from({ length: count }, (_, k) => eventOf(random, [i, k], products));
    return foldEvents(emptyState(`template${i}`), events);
  });
}

function eventOf(random, [i, k], products) {
  const draw = random();
  const at = new Date(NOW - HOUR_MS - Math.floor(random() * HISTORY_DAYS * DAY_MS));
  const common = { _id: `${TENANT} e${i}.${k}`, tenantId: TENANT, customerId: `template${i}`, at };
  const productId = `p${randomInteger(random, products)}`;
  if (draw < 0.4) {
    const [channel, device] = [CHANNELS[randomInteger(random, 4)], DEVICES[randomInteger(random, 3)]];
    const durationSeconds = Math.round(-60 * Math.log(random()));
    return { ...common, type: 'page_visit', properties: { channel, device, durationSeconds } };
  }
  if (draw < 0.65) return { ...common, type: 'product_view', properties: { productId } };
  if (draw < 0.75) {
    const lines = [
      { productId, quantity: 1 + randomInteger(random, 3), unitPrice: { amount: '19.90', currency: 'EUR' } },
    ];
    return { ...common, type: 'order', properties: { lines, currency: 'EUR', value: 20 + 80 * random() } };
  }
  if (draw < 0.9) return { ...common, type: 'email_sent', properties: {} };
  return { ...common, type: draw < 0.97 ? 'email_open' : 'email_click', properties: {} };
}

/** Trees at random whose splits stand where the customers differ. @returns the version, which is live then */
export async function publishChurn(repository) {
  const random = seededRandom(5);
  const rows = templateStates().map((state) => featureVector(state, new Date(NOW)));
  const numbers = NUMBERS.map((column) => ({
    ...{ kind: 'numeric', column, fill: null, transform: 'none', mean: 0, scale: 1, missingIndicator: false },
  }));
  const columns = [
    ...numbers,
    { kind: 'categorical', column: 'visit.channel', categories: CHANNELS },
    { kind: 'categorical', column: 'visit.device', categories: DEVICES },
  ];
  const features = [
    ...NUMBERS,
    ...[...CHANNELS, '(other)'].map((channel) => `visit.channel=${channel}`),
    ...[...DEVICES, '(other)'].map((device) => `visit.device=${device}`),
  ];
  const table = { columns, features, standardised: false };
  const values = features.map((feature) => seenValues(rows, feature));
  const trees = Array.from({ length: TREES }, () => aTree(random, values));
  const ensemble = { baseScore: -0.5, trees };
  const platt = { a: 1, b: 0 };
  const head = { kind: 'probability', platt };
  const { bytes, opset, inputs, outputs } = writeTreeForms(ensemble, features.length, head);
  const onnx = { opset, inputs, outputs };
  const explained = {
    method: 'linear',
    model: linearOf(features.length),
    means: new Float64Array(features.length),
  };
  const spec = {
    ...{ task: 'churn', table, family: 'lightgbm', explainFile: 'explain.json', horizonDays: 30 },
    bands: { warm: 0.3, hot: 0.6 },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    reliability: [
      { upTo: 0.5, rows: 1_000, positives: 200 },
      { upTo: 1, rows: 1_000, positives: 700 },
    ],
  };
  const files = new Map([
    ['model.onnx', bytes],
    ['explain.json', Buffer.from(writeExplainer(table, explained, platt))],
  ]);
  const { version } = await repository.publish(draftOf(spec, onnx), files, CARD);
  await repository.setLiveVersion(MODEL, version);
  return version;
}

function seenValues(rows, feature) {
  if (feature.includes('=')) return [0.5];
  return rows.map((row) => row[feature]).filter((value) => typeof value === 'number');
}

function linearOf(width) {
  return { coefficients: new Float64Array(width), intercept: 0 };
}

/** Grown leaf by leaf at random, unbalanced as LightGBM's are. */
function aTree(random, values) {
  const leaf = () => ({ feature: -1, threshold: 0, left: -1, right: -1, value: 0.05 * randomNormal(random) });
  const nodes = [leaf()];
  while (nodes.length < 2 * LEAVES - 1) {
    const open = nodes.filter(({ feature }) => feature < 0);
    const node = open[randomInteger(random, open.length)];
    const feature = randomInteger(random, values.length);
    node.feature = feature;
    node.threshold = values[feature][randomInteger(random, values[feature].length)];
    node.left = nodes.push(leaf()) - 1;
    node.right = nodes.push(leaf()) - 1;
  }
  return {
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    defaultLeft: Uint8Array.from(nodes, () => randomInteger(random, 2)),
    value: Float64Array.from(nodes, (node) => node.value),
    cover: new Float64Array(nodes.length).fill(1),
  };
}

function draftOf(spec, onnx) {
  return {
    ...{ model: MODEL, tenantId: TENANT, trainedAt: new Date(NOW).toISOString(), seed: 1 },
    ...{
      dataSha256: '0'.repeat(64),
      dataRows: 0,
      metrics: {},
      baselineMetrics: {},
      warmUpBatchSizes: [1, 256],
    },
    ...{ onnx, spec },
  };
}

const CARD = {
  ...{ purpose: 'a benchmark', trainingData: 'none', features: [], chosenBecause: 'its size' },
  ...{ metrics: {}, baselineMetrics: {}, limitations: ['it was never trained'], warnings: [] },
};
