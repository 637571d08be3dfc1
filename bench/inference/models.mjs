// The models of the comparison, made once by our own writers from seeds and kept in .data/bench-inference.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelDirectory } from '@sextant/artefacts';
import { seededRandom } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { LightGbmProcess, lightGbmParameters, parseLightGbmModel } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { constant, encodeModel, node, writeRecommender, writeTreeModel } from '@sextant/onnx';

const FEATURES = 32;
const HIDDEN = 64;
const TREES = 200;
const LEAVES = 31;
const ITEMS = 3_000;
const TRAINING_ROWS = 20_000;
/** Part of the folder's name; changes whenever the recipe does. */
const RECIPE = 1;

export const DATA_DIRECTORY = fileURLToPath(new URL('../../.data/bench-inference/', import.meta.url));

/** What the bench must know of each model to call it. */
export const MODELS = {
  mlp: aModel('mlp.lead', 'features', 'probability', [FEATURES, 1]),
  trees: aModel('trees.lead', 'features', 'probability', [FEATURES, 1]),
  ease: aModel('ease.recommend', 'history', 'scores', [ITEMS + 1, ITEMS]),
};

function aModel(model, input, output, [columns, outputColumns]) {
  return { model, input, output, columns, outputColumns };
}

/**
 * A repository with all models live.
 *
 * @returns its root, the ONNX file of each model, and LightGBM's own text of the trees; trees are null where LightGBM is missing
 */
export async function prepareModels() {
  const root = join(DATA_DIRECTORY, `models-${RECIPE}`);
  if (!existsSync(root)) {
    const draft = `${root}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    try {
      await publishAll(new ModelDirectory(draft));
      renameSync(draft, root);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  const fileOf = (name, file = 'model.onnx') => {
    const path = join(root, MODELS[name].model, '1', file);
    return existsSync(path) ? path : null;
  };
  return {
    root,
    onnx: Object.fromEntries(Object.keys(MODELS).map((name) => [name, fileOf(name)])),
    lightGbmText: fileOf('trees', 'trees.txt'),
  };
}

async function publishAll(directory) {
  await publish(directory, MODELS.mlp.model, writePerceptron(), scoreSpec('logistic'), [linearExplainer()]);
  await publishRecommender(directory);
  const trees = await trainTrees();
  if (trees === null) return;
  const { text, ensemble } = trees;
  const head = { kind: 'probability', platt: { a: 1, b: 0 } };
  const explainer = writeExplainer(table(), { method: 'tree-shap', ensemble }, head.platt);
  await publish(
    directory,
    MODELS.trees.model,
    writeTreeModel(ensemble, FEATURES, head),
    scoreSpec('lightgbm'),
    [
      ['explain.json', Buffer.from(explainer)],
      ['trees.txt', Buffer.from(text)],
    ],
  );
}

/** 32 → 64 → 64 → 1, rectified, a logistic end. */
function writePerceptron() {
  const random = seededRandom(1);
  const layer = (name, inputs, outputs) => [
    constant(`${name}_w`, [inputs, outputs], weights(random, inputs * outputs, Math.sqrt(6 / inputs))),
    constant(`${name}_b`, [outputs], weights(random, outputs, 0.1)),
  ];
  return encodeModel({
    name: 'perceptron',
    nodes: [
      node('Gemm', 'features one_w one_b -> one'),
      node('Relu', 'one -> one_on'),
      node('Gemm', 'one_on two_w two_b -> two'),
      node('Relu', 'two -> two_on'),
      node('Gemm', 'two_on three_w three_b -> three'),
      node('Sigmoid', 'three -> probability'),
    ],
    initializers: [
      ...layer('one', FEATURES, HIDDEN),
      ...layer('two', HIDDEN, HIDDEN),
      ...layer('three', HIDDEN, 1),
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, FEATURES] },
    output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
  });
}

function weights(random, length, scale) {
  return Float32Array.from({ length }, () => (2 * random() - 1) * scale);
}

/** Dense, [items + 1, items], as EASE leaves it; a product costs the same whatever its numbers are. */
async function publishRecommender(directory) {
  const random = seededRandom(2);
  const matrix = weights(random, (ITEMS + 1) * ITEMS, 0.1);
  const spec = {
    task: 'recommend',
    items: Array.from({ length: ITEMS }, (_, i) => `i${i}`),
    components: [],
    rank: null,
    tauItems: null,
    excludeHistory: false,
    similarityFile: 'similarity.f32',
  };
  const onnx = writeRecommender({ itemCount: ITEMS, matrix });
  await publish(directory, MODELS.ease.model, onnx, spec, [
    ['similarity.f32', new Uint8Array(matrix.buffer)],
  ]);
}

/** A classifier of 200 trees × 31 leaves on numbers whose effects bend and act together; null without LightGBM. */
async function trainTrees() {
  const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
  if (library === null) return null;
  const random = seededRandom(3);
  const rows = Float32Array.from({ length: TRAINING_ROWS * FEATURES }, () => 2 * random() - 1);
  const cell = (row, column) => rows[row * FEATURES + column] ?? 0;
  const labels = Float32Array.from({ length: TRAINING_ROWS }, (_, row) => {
    const margin = 2 * cell(row, 0) + 3 * cell(row, 1) * cell(row, 2) + Math.abs(cell(row, 3)) - 0.5;
    return random() < 1 / (1 + Math.exp(-margin)) ? 1 : 0;
  });
  const parameters = lightGbmParameters({
    objective: 'binary',
    seed: 1,
    learningRate: 0.05,
    leaves: LEAVES,
    minRowsPerLeaf: 20,
    columnShare: 0.8,
    l2: 1,
    threads: 1,
  });
  await using lightGbm = await LightGbmProcess.open(library);
  const { model } = await lightGbm.train({
    train: { rows, labels },
    columns: FEATURES,
    validation: null,
    parameters,
    rounds: TREES,
    patience: TREES,
  });
  return { text: model, ensemble: parseLightGbmModel(model) };
}

function table() {
  const names = Array.from({ length: FEATURES }, (_, i) => `x${i}`);
  const numeric = (column) => ({
    kind: 'numeric',
    column,
    fill: 0,
    transform: 'none',
    mean: 0,
    scale: 1,
    missingIndicator: false,
  });
  return { columns: names.map(numeric), features: names, standardised: false };
}

function linearExplainer() {
  const zeros = () => new Float64Array(FEATURES);
  const explained = { method: 'linear', model: { coefficients: zeros(), intercept: 0 }, means: zeros() };
  return ['explain.json', Buffer.from(writeExplainer(table(), explained, { a: 1, b: 0 }))];
}

function scoreSpec(family) {
  return {
    task: 'lead',
    table: table(),
    family,
    explainFile: 'explain.json',
    bands: { warm: 0.3, hot: 0.7 },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    reliability: [{ upTo: 1, rows: 100, positives: 50 }],
    horizonDays: 30,
  };
}

async function publish(directory, model, { bytes, ...onnx }, spec, files) {
  const draft = {
    model,
    tenantId: model.split('.')[0],
    trainedAt: '2026-03-01T00:00:00Z',
    seed: 1,
    dataSha256: '0'.repeat(64),
    dataRows: 0,
    onnx,
    metrics: {},
    baselineMetrics: {},
    warmUpBatchSizes: [1, 32, 256],
    spec,
  };
  const card = {
    purpose: 'bench',
    trainingData: 'seeded random numbers',
    features: [],
    chosenBecause: 'of its size',
    metrics: {},
    baselineMetrics: {},
    limitations: ['means nothing'],
    warnings: [],
  };
  const { version } = await directory.publish(draft, new Map([['model.onnx', bytes], ...files]), card);
  await directory.setLiveVersion(model, version);
}

/** Writes a message where ghz and the echo server can read it. */
export function keepMessage(name, bytes) {
  const folder = join(DATA_DIRECTORY, 'messages');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
  return path;
}
