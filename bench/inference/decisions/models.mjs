// Models of the size that the limits allow, made from a seed: a dense recommender of 3,000 items, a score of 100 columns, a demand model.
import { ModelDirectory } from '@sextant/artefacts';
import { seededRandom } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { writeLifetimeModel, writeLinearModel, writeRecommender, writeUpliftModel } from '@sextant/onnx';

export const ITEMS = 3_000;
export const COLUMNS = 100;
const NOTHING = { value: 0, low: 0, high: 0, level: 0.9 };

/** Publishes all models live below `root`. */
export async function publishModels(root) {
  const directory = new ModelDirectory(root);
  await publishRecommender(directory);
  await publishLead(directory);
  await publishPrice(directory);
  await publishLifetime(directory);
  await publishUplift(directory);
}

async function publish(directory, model, { bytes, ...onnx }, spec, files = []) {
  const manifest = {
    model,
    tenantId: 'bench',
    trainedAt: '2026-03-01T00:00:00Z',
    seed: 1,
    dataSha256: '0'.repeat(64),
    dataRows: 0,
    onnx,
    metrics: {},
    baselineMetrics: {},
    warmUpBatchSizes: [1],
    spec,
  };
  const card = {
    purpose: 'bench',
    trainingData: 'none',
    features: [],
    chosenBecause: 'made from a seed',
    metrics: {},
    baselineMetrics: {},
    limitations: [],
    warnings: [],
  };
  const { version } = await directory.publish(manifest, new Map([['model.onnx', bytes], ...files]), card);
  await directory.setLiveVersion(model, version);
}

function publishRecommender(directory) {
  const random = seededRandom(7);
  const matrix = Float32Array.from({ length: (ITEMS + 1) * ITEMS }, () => random() - 0.2);
  const spec = {
    task: 'recommend',
    items: Array.from({ length: ITEMS }, (_, i) => itemId(i)),
    components: [],
    rank: null,
    tauItems: 10,
    excludeHistory: true,
    similarityFile: 'similarity.f32',
  };
  const files = [['similarity.f32', new Uint8Array(matrix.buffer)]];
  return publish(directory, 'bench.recommend', writeRecommender({ itemCount: ITEMS, matrix }), spec, files);
}

export function itemId(i) {
  return `sku${String(i).padStart(5, '0')}`;
}

function numeric(column) {
  return { kind: 'numeric', column, fill: 0, transform: 'none', mean: 0, scale: 1, missingIndicator: false };
}

function tableOf(columns) {
  const features = columns.flatMap((each) =>
    each.kind === 'numeric'
      ? [each.column]
      : [...each.categories, '(other)'].map((category) => `${each.column}=${category}`),
  );
  return { columns, features, standardised: false };
}

/** Ninety numbers and ten texts of a few values each. */
function leadTable() {
  const numbers = Array.from({ length: COLUMNS - 10 }, (_, i) => numeric(`n${i}`));
  const texts = Array.from({ length: 10 }, (_, i) => ({
    kind: 'categorical',
    column: `c${i}`,
    categories: ['web', 'mail', 'shop'],
  }));
  return tableOf([...numbers, ...texts]);
}

function linearOf(table, seed) {
  const random = seededRandom(seed);
  return { coefficients: Float64Array.from(table.features, () => (random() - 0.5) / 4), intercept: 0 };
}

function explainerOf(table, model) {
  const means = new Float64Array(table.features.length);
  const text = writeExplainer(table, { method: 'linear', model, means }, { a: 1, b: 0 });
  return ['explain.json', Buffer.from(text)];
}

function publishLead(directory) {
  const table = leadTable();
  const linear = linearOf(table, 8);
  const spec = {
    task: 'lead',
    table,
    family: 'logistic',
    explainFile: 'explain.json',
    bands: { warm: 0.3, hot: 0.7 },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    reliability: [
      { upTo: 0.5, rows: 100, positives: 20 },
      { upTo: 1, rows: 100, positives: 70 },
    ],
    horizonDays: 30,
  };
  const model = writeLinearModel(linear, { kind: 'probability', platt: { a: 1, b: 0 } });
  return publish(directory, 'bench.lead', model, spec, [explainerOf(table, linear)]);
}

function publishPrice(directory) {
  const products = Array.from({ length: 50 }, (_, i) => `p${i}`);
  const contexts = Array.from({ length: 20 }, (_, i) => numeric(`x${i}`));
  const table = tableOf([
    numeric('price'),
    ...contexts,
    { kind: 'categorical', column: 'product', categories: products },
  ]);
  const linear = linearOf(table, 9);
  linear.coefficients[0] = -0.2;
  const spec = {
    task: 'price',
    table,
    family: 'log-log',
    productColumn: 'product',
    priceColumn: 'price',
    residualSd: 0.1,
    smearing: 1.05,
    unitsPeriodDays: 7,
    priceRange: Object.fromEntries(products.map((product) => [product, [5, 20]])),
    elasticity: {},
    explainFile: 'explain.json',
    contextDefaults: Object.fromEntries(contexts.map(({ column }) => [column, 0])),
  };
  const model = writeLinearModel(linear, { kind: 'log-units' });
  return publish(directory, 'bench.price', model, spec, [explainerOf(table, linear)]);
}

function publishLifetime(directory) {
  const lifetime = {
    process: { family: 'bg-nbd', r: 0.2426, alpha: 4.4136, a: 0.7929, b: 2.4259 },
    spend: { p: 6.25, q: 3.74, v: 15.44 },
    periodDays: 7,
    annualDiscountRate: 0.1,
  };
  const limits = { maxHorizon: 730 / 7, maxFrequency: 100 };
  const spec = {
    task: 'lifetime',
    family: 'bg-nbd',
    parameters: {},
    spend: {},
    spendBasis: 'repeats',
    meanOrderValue: 35,
    currency: 'USD',
    periodDays: 7,
    maxHorizonDays: 730,
    maxFrequency: 100,
    annualDiscountRate: 0.1,
    reliability: [
      { upTo: 30, rows: 100, low: -0.1, high: 0.1 },
      { upTo: 60, rows: 100, low: -0.5, high: 0.5 },
    ],
  };
  return publish(directory, 'bench.lifetime', writeLifetimeModel(lifetime, limits), spec);
}

function publishUplift(directory) {
  const table = leadTable();
  const line = (seed) => ({ kind: 'linear', ...linearOf(table, seed) });
  const action = (seed) => ({
    learner: 'by hand',
    offset: 0,
    terms: [{ weight: 0.1, head: 'identity', form: line(seed) }],
  });
  const reliability = [{ upTo: 1, low: -0.3, value: 0, high: 0.3 }];
  const spec = {
    task: 'uplift',
    goal: 'retain',
    table,
    outcome: { event: 'order', horizonDays: 14, value: 40, currency: 'EUR', sureFrom: 0.5 },
    actions: ['mail', 'call'].map((id) => ({
      id,
      channel: id,
      cost: 1,
      learner: 'by hand',
      average: NOTHING,
      qini: NOTHING,
      reliability,
    })),
    refused: [],
  };
  const graph = { columns: table.features.length, without: line(10), actions: [action(11), action(12)] };
  return publish(directory, 'bench.uplift', writeUpliftModel(graph), spec);
}
