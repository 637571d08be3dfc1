import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, ModelDirectory } from '@sextant/artefacts';
import { constant, encodeModel, node, writeRecommender } from '@sextant/onnx';
import { float32Input, type RawInput } from './infer-wire.js';

export interface TestRepository {
  directory: ModelDirectory;
  root: string;
  remove(): Promise<void>;
}

/** An empty model repository in a folder of its own. */
export async function aRepository(): Promise<TestRepository> {
  const root = await mkdtemp(join(tmpdir(), 'sextant-worker-'));
  return {
    directory: new ModelDirectory(root),
    root,
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

const CARD = {
  purpose: 'test',
  trainingData: 'none',
  features: [],
  chosenBecause: 'written by hand',
  metrics: {},
  baselineMetrics: {},
  limitations: ['a test model'],
  warnings: [],
};

type Published = Pick<Manifest, 'model' | 'onnx' | 'spec'> & {
  files: Map<string, Uint8Array>;
  warmUp: number[];
};

/** Publishes without putting it in service. @returns the version */
async function publish(
  directory: ModelDirectory,
  { model, onnx, spec, files, warmUp }: Published,
): Promise<number> {
  const draft = {
    model,
    tenantId: model.split('.')[0] ?? '',
    trainedAt: '2026-03-01T00:00:00Z',
    seed: 1,
    dataSha256: '0'.repeat(64),
    dataRows: 0,
    onnx,
    metrics: {},
    baselineMetrics: {},
    warmUpBatchSizes: warmUp,
    spec,
  };
  return (await directory.publish(draft, files, CARD)).version;
}

export const SUM_WIDTH = 4;

/**
 * A model whose answers are exact in float32: scores[j] = scale × (Σᵢ (i + 1)·xᵢ + j), x of `SUM_WIDTH` whole numbers.
 *
 * @returns the version, not yet in service
 */
export function publishSum(directory: ModelDirectory, model: string, scale = 1): Promise<number> {
  const items = Array.from({ length: SUM_WIDTH }, (_, i) => `i${i}`);
  const matrix = new Float32Array((SUM_WIDTH + 1) * SUM_WIDTH);
  for (let row = 0; row <= SUM_WIDTH; row += 1) {
    for (let column = 0; column < SUM_WIDTH; column += 1) {
      matrix[row * SUM_WIDTH + column] = scale * (row < SUM_WIDTH ? row + 1 : column);
    }
  }
  const { bytes, ...onnx } = writeRecommender({ itemCount: SUM_WIDTH, matrix });
  const spec = {
    task: 'recommend' as const,
    items,
    components: [],
    rank: null,
    tauItems: null,
    excludeHistory: false,
    similarityFile: 'similarity.f32',
  };
  const files = new Map<string, Uint8Array>([
    ['model.onnx', bytes],
    ['similarity.f32', new Uint8Array(matrix.buffer)],
  ]);
  return publish(directory, { model, onnx, spec, files, warmUp: [1, 8] });
}

/** The input of a {@link publishSum} model; `first` makes each row its own. */
export function sumInput(rows: number, first: number): RawInput {
  const values = new Float32Array(rows * (SUM_WIDTH + 1));
  for (let row = 0; row < rows; row += 1) {
    const at = row * (SUM_WIDTH + 1);
    for (let i = 0; i < SUM_WIDTH; i += 1) values[at + i] = (first + row * 7 + i * 3) % 4096;
    values[at + SUM_WIDTH] = 1;
  }
  return float32Input('history', [rows, SUM_WIDTH + 1], values);
}

/** Whether these are the answers to {@link sumInput}, exactly. */
export function isSumOf(
  answer: Float32Array,
  rows: number,
  { first, scale = 1 }: { first: number; scale?: number },
): boolean {
  if (answer.length !== rows * SUM_WIDTH) return false;
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    for (let i = 0; i < SUM_WIDTH; i += 1) sum += (i + 1) * ((first + row * 7 + i * 3) % 4096);
    for (let j = 0; j < SUM_WIDTH; j += 1)
      if (answer[row * SUM_WIDTH + j] !== scale * (sum + j)) return false;
  }
  return true;
}

export const DEEP_INPUTS = 4;

export interface DeepShape {
  /** square products, one after the other */
  layers: number;
  /** of each product */
  width: number;
}

/**
 * x [-1, 4] → tanh(x·A) → `layers` × tanh(·W) → ·b: as dear as one likes (2 · layers · width² operations a row) in a small file, since all layers
 * share one matrix.
 *
 * @returns the version, not yet in service, and the file's bytes
 */
export async function publishDeep(
  directory: ModelDirectory,
  model: string,
  { layers, width }: DeepShape,
): Promise<{ version: number; bytes: Uint8Array }> {
  const draw = seeded(7);
  const matrix = (rows: number, columns: number): Float32Array =>
    Float32Array.from({ length: rows * columns }, () => (2 * draw() - 1) * Math.sqrt(3 / rows));
  const nodes = [node('MatMul', 'features first -> h'), node('Tanh', 'h -> x0')];
  for (let layer = 0; layer < layers; layer += 1) {
    nodes.push(node('MatMul', `x${layer} square -> m${layer}`), node('Tanh', `m${layer} -> x${layer + 1}`));
  }
  nodes.push(node('MatMul', `x${layers} last -> log_units`));
  const { bytes, ...onnx } = encodeModel({
    name: 'deep',
    nodes,
    initializers: [
      constant('first', [DEEP_INPUTS, width], matrix(DEEP_INPUTS, width)),
      constant('square', [width, width], matrix(width, width)),
      constant('last', [width, 1], matrix(width, 1)),
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, DEEP_INPUTS] },
    output: { name: 'log_units', datatype: 'FP32', shape: [-1, 1] },
  });
  const files = new Map([['model.onnx', bytes]]);
  const version = await publish(directory, { model, onnx, spec: priceSpec(), files, warmUp: [1] });
  return { version, bytes };
}

/** A task that takes any four features and needs no other file. */
function priceSpec(): Extract<Manifest['spec'], { task: 'price' }> {
  const column = (name: string) => ({
    kind: 'numeric' as const,
    column: name,
    fill: 0,
    transform: 'none' as const,
    mean: 0,
    scale: 1,
    missingIndicator: false,
  });
  const features = ['price', 'a', 'b', 'c'];
  return {
    task: 'price',
    table: { columns: features.map(column), features, standardised: false },
    family: 'log-log',
    productColumn: 'product',
    priceColumn: 'price',
    residualSd: 0.1,
    smearing: 1,
    unitsPeriodDays: 7,
    priceRange: {},
    elasticity: {},
    explainFile: null,
    contextDefaults: {},
  };
}

/** Rows of a {@link publishDeep} model, uniform in [-1, 1). */
export function deepInput(rows: number, draw: () => number): RawInput {
  const values = Float32Array.from({ length: rows * DEEP_INPUTS }, () => 2 * draw() - 1);
  return float32Input('features', [rows, DEEP_INPUTS], values);
}

/** Mulberry32: uniform in [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
