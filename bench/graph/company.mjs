// A company of a few thousand customers, a churn model trained by LightGBM, an EASE recommender, and the same for the Python server.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelDirectory } from '@sextant/artefacts';
import { knownProductsOf } from '../../subgraphs/prediction/dist/customer/customer-features.service.js';
import { featureVector, scoreInput } from '@sextant/features';
import { buildReference } from '@sextant/learning/monitor';
import { encodeTable, seededRandom, tableOfRecords } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { coOccurrence, easeWeights, weighHistory } from '@sextant/learning/recommend';
import { LightGbmProcess, lightGbmParameters, parseLightGbmModel } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { writeRecommender, writeTreeForms } from '@sextant/onnx';
import { monitorFileOf, monitorHistories } from '@sextant/training/monitor';
import { CHANNELS, DEVICES, documentOf, NUMBERS, templateStates, TENANT } from '../batch/population.mjs';

const ITEMS = 2_000;
const TREES = 200;
const LEAVES = 31;
const LAMBDA = 50;
const TAU_ITEMS = 10;
const SAMPLE = 20_000;
const TRAINED_AT = new Date().toISOString();
const CARD = {
  ...{ purpose: 'a benchmark', trainingData: 'simulated', features: [], chosenBecause: 'its size' },
  ...{ metrics: {}, baselineMetrics: {}, limitations: ['of no use'], warnings: [] },
};

/**
 * Writes customers and models.
 *
 * @param folder  gets `models/` for the worker, and `peer/` for the Python server: model.txt, similarity.npy's bytes, names
 * @returns ids of the customers
 */
export async function foundCompany(db, folder, customers) {
  const templates = templateStates(ITEMS).map(endingNow);
  const documents = Array.from({ length: customers }, (_, i) => documentOf(templates, i));
  await db.collection('customer_features').insertMany(documents);
  await db.collection('customers').insertMany(documents.map(({ state }, i) => customerOf(state, i)));
  const models = new ModelDirectory(join(folder, 'models'));
  const peer = join(folder, 'peer');
  mkdirSync(peer, { recursive: true });
  const table = await publishChurn(models, templates, peer);
  const items = await publishRecommender(models, templates, peer);
  await db
    .collection('peer_customers')
    .insertMany(documents.map(({ state }) => forPeer(state, table, items)));
  return documents.map(({ _id }) => _id);
}

/** The population was made for a day in the past; here decisions are made today. */
function endingNow(state) {
  const by = Date.now() - Date.UTC(2026, 5, 1);
  const moved = (at) => (at === null ? null : at + by);
  const sum = (each) => (each === null ? null : { ...each, at: each.at + by });
  const times = ['firstAt', 'lastAt', 'lastActiveAt', 'engagedAt'].map((name) => [name, moved(state[name])]);
  const sums = ['orderValue', 'orderUnits', 'visitSeconds'].map((name) => [name, sum(state[name])]);
  return {
    ...state,
    ...Object.fromEntries([...times, ...sums]),
    counters: Object.fromEntries(Object.entries(state.counters).map(([type, each]) => [type, sum(each)])),
    interactions: { ...state.interactions, at: state.interactions.at.map(moved) },
  };
}

function customerOf(state, i) {
  return {
    ...{
      _id: state.customerId,
      tenantId: TENANT,
      ref: `bench:${i}`,
      traits: {},
      accountRef: null,
      stateRevision: 1,
    },
    ...{ firstSeenAt: new Date(state.firstAt), lastSeenAt: new Date(state.lastAt), leadAt: null },
    ...{
      lastActiveAt: new Date(state.lastActiveAt),
      engagedAt: state.engagedAt && new Date(state.engagedAt),
    },
  };
}

/** What a Python team would keep of a customer for these two models: the ready row, and what is known of products. */
function forPeer(state, table, items) {
  const { features } = scoreInput('churn', state, new Date());
  const { history, disliked } = knownProductsOf(state);
  const known = weighHistory(Uint32Array.from(history.flatMap((id) => items.get(id) ?? [])), TAU_ITEMS);
  return {
    _id: state.customerId,
    features: bytesOf(encodeTable(table, tableOfRecords([features]))),
    history: bytesOf(known.items),
    weights: bytesOf(Float32Array.from(known.weights)),
    hidden: bytesOf(Uint32Array.from([...history, ...disliked].flatMap((id) => items.get(id) ?? []))),
  };
}

const bytesOf = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

function churnTable() {
  const numbers = NUMBERS.map((column) => ({
    ...{ kind: 'numeric', column, fill: null, transform: 'none', mean: 0, scale: 1, missingIndicator: false },
  }));
  const texts = { 'visit.channel': CHANNELS, 'visit.device': DEVICES };
  const categoricals = Object.entries(texts).map(([column, categories]) => ({
    kind: 'categorical',
    column,
    categories,
  }));
  const features = Object.entries(texts).flatMap(([column, values]) =>
    [...values, '(other)'].map((value) => `${column}=${value}`),
  );
  return { columns: [...numbers, ...categoricals], features: [...NUMBERS, ...features], standardised: false };
}

async function publishChurn(models, templates, peer) {
  const table = churnTable();
  const random = seededRandom(3);
  const documents = Array.from({ length: SAMPLE }, (_, i) => documentOf(templates, i));
  const records = documents.map(({ state }) => featureVector(state, new Date()));
  const columns = tableOfRecords(records);
  const rows = encodeTable(table, columns);
  const labels = Float32Array.from(records, (record) => (random() < leaving(record) ? 1 : 0));
  const model = await train({ rows, labels }, table.features.length);
  const ensemble = parseLightGbmModel(model);
  const platt = { a: 1, b: 0 };
  const { bytes, ...onnx } = writeTreeForms(ensemble, table.features.length, { kind: 'probability', platt });
  const spec = {
    ...{ task: 'churn', table, family: 'lightgbm', explainFile: 'explain.json', horizonDays: 30 },
    ...{ bands: { warm: 0.3, hot: 0.6 }, quantiles: Array.from({ length: 101 }, (_, i) => i / 100) },
    reliability: [0.5, 1].map((upTo) => ({ upTo, rows: 1_000, positives: 1_000 * (upTo - 0.25) })),
  };
  const reference = buildReference({
    ...{ table: columns, at: null, subjects: null, importance: new Map(NUMBERS.map((name) => [name, 1])) },
    ...{
      scores: [{ name: 'probability', values: Float64Array.from(labels), labels: Uint8Array.from(labels) }],
      threshold: 0.6,
    },
    performance: null,
  });
  const files = [
    ['model.onnx', bytes],
    ['explain.json', Buffer.from(writeExplainer(table, { method: 'tree-shap', ensemble }, platt))],
    monitorFileOf(reference),
  ];
  await publish(models, { onnx, spec, monitorFile: files[2][0] }, files);
  writeFileSync(join(peer, 'model.txt'), model);
  writeFileSync(join(peer, 'features.json'), JSON.stringify(table.features));
  return table;
}

/** Who was away for long and orders little leaves, and some do for no reason. */
function leaving(record) {
  const away = record['recency.days'] ?? 90;
  const margin =
    away / 20 - 0.8 * (record['count.order.90d'] ?? 0) + 0.1 * (record['tenure.days'] ?? 0) ** 0.5 - 1;
  return 0.1 + 0.8 / (1 + Math.exp(-margin));
}

async function train(data, columns) {
  await using lightGbm = await LightGbmProcess.open(
    await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }),
  );
  const parameters = lightGbmParameters({
    ...{ objective: 'binary', seed: 1, learningRate: 0.1, leaves: LEAVES, minRowsPerLeaf: 20 },
    ...{ columnShare: 1, l2: 1, threads: 1 },
  });
  const request = { train: data, columns, validation: null, parameters, rounds: TREES, patience: TREES };
  return (await lightGbm.train(request)).model;
}

async function publishRecommender(models, templates, peer) {
  const items = Array.from({ length: ITEMS }, (_, i) => `p${i}`);
  const indexOf = new Map(items.map((id, i) => [id, i]));
  const baskets = templates.map((state) => {
    const { history } = knownProductsOf(state);
    return Uint32Array.from(history.flatMap((id) => indexOf.get(id) ?? []));
  });
  const weights = await easeWeights(coOccurrence(baskets, ITEMS), ITEMS, { lambda: LAMBDA });
  const matrix = new Float32Array((ITEMS + 1) * ITEMS);
  matrix.set(weights);
  for (const basket of baskets) for (const item of basket) matrix[ITEMS * ITEMS + item] += 1e-6;
  const { bytes, ...onnx } = writeRecommender({ itemCount: ITEMS, matrix });
  const spec = {
    ...{ task: 'recommend', items, components: [], rank: null, tauItems: TAU_ITEMS, excludeHistory: true },
    similarityFile: 'similarity.f32',
  };
  const monitor = monitorFileOf(monitorHistories(baskets.map(({ length }) => length)));
  const files = [['model.onnx', bytes], ['similarity.f32', bytesOf(matrix)], monitor];
  await publish(models, { onnx, spec, monitorFile: monitor[0] }, files);
  writeFileSync(join(peer, 'similarity.f32'), bytesOf(matrix));
  writeFileSync(join(peer, 'items.json'), JSON.stringify(items));
  return indexOf;
}

async function publish(models, manifest, files) {
  const model = `${TENANT}.${manifest.spec.task}`;
  const draft = {
    ...{ model, tenantId: TENANT, trainedAt: TRAINED_AT, seed: 1, dataSha256: '0'.repeat(64), dataRows: 0 },
    ...{ metrics: {}, baselineMetrics: {}, warmUpBatchSizes: [1, 64] },
    ...manifest,
  };
  const { version } = await models.publish(draft, new Map(files), CARD);
  await models.setLiveVersion(model, version);
}
