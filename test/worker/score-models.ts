import type { Manifest, ModelDirectory } from '@sextant/artefacts';
import { constant, encodeModel, node, onnxDescription, onnxFiles, writeLinearModel } from '@sextant/onnx';

const METRICS = { auc: { value: 0.8, low: 0.7, high: 0.9, level: 0.9 } };
export const SCORE_CARD = {
  purpose: 'test',
  trainingData: 'none',
  features: ['visits', 'orders'],
  chosenBecause: 'written by hand',
  metrics: METRICS,
  baselineMetrics: METRICS,
  limitations: ['a test model'],
  warnings: [],
};

const COLUMNS = ['visits', 'orders'];

/** A row of the test models, by number: different for each, scores all over [0, 1]. */
export function scoreRow(n: number): { visits: number; orders: number } {
  return { visits: ((n * 37) % 100) / 50 - 1, orders: ((n * 61) % 90) / 45 - 1 };
}

/** What {@link publishScore} answers to a row, in float32. */
export function expectedScore({ visits, orders }: { visits: number; orders: number }, weight = 2): number {
  return 1 / (1 + Math.exp(-(weight * visits - weight * orders)));
}

/**
 * probability = sigmoid(weight · visits − weight · orders).
 *
 * @param options.weight    negative: the scores are inverted
 * @param options.isBroken  half of the answers are no numbers
 * @param options.products  matrix products of 256 × 256 before each answer, which change nothing of it
 * @returns the manifest of the version, not yet in service
 */
export function publishScore(
  directory: ModelDirectory,
  model: string,
  options: { weight?: number; products?: number; isBroken?: boolean; trainedAt?: Date } = {},
): Promise<Manifest> {
  const { weight = 2, products = 0, isBroken = false, trainedAt = new Date() } = options;
  const plain = writeLinearModel(
    { coefficients: Float64Array.of(1, -1), intercept: 0 },
    { kind: 'probability', platt: { a: weight, b: 0 } },
  );
  const written = isBroken ? brokenModel(weight) : products === 0 ? plain : heavyModel(weight, products);
  const draft = {
    model,
    tenantId: model.split('.')[0] ?? '',
    trainedAt: trainedAt.toISOString(),
    seed: 1,
    dataSha256: '0'.repeat(64),
    dataRows: 0,
    onnx: onnxDescription(written),
    metrics: METRICS,
    baselineMetrics: METRICS,
    warmUpBatchSizes: [1, 8],
    spec: {
      task: 'lead' as const,
      table: {
        columns: COLUMNS.map((column) => ({
          kind: 'numeric' as const,
          column,
          fill: 0,
          transform: 'none' as const,
          mean: 0,
          scale: 1,
          missingIndicator: false,
        })),
        features: COLUMNS,
        standardised: false,
      },
      family: 'logistic' as const,
      explainFile: null,
      bands: { warm: 0.3, hot: 0.7 },
      quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
      reliability: [{ upTo: 1, rows: 100, positives: 50 }],
      horizonDays: 30,
    },
  };
  return directory.publish(draft, new Map(onnxFiles(written)), SCORE_CARD);
}

const WIDTH = 256;

/** The same answers, after work that takes time and comes to nothing. */
function heavyModel(weight: number, products: number) {
  const nodes = [node('MatMul', 'features first -> x0')];
  for (let i = 0; i < products; i += 1)
    nodes.push(node('MatMul', `x${i} square -> m${i}`), node('Tanh', `m${i} -> x${i + 1}`));
  nodes.push(
    node('MatMul', `x${products} none -> nothing`),
    node('MatMul', 'features weights -> own'),
    node('Add', 'own nothing -> margin'),
    node('Sigmoid', 'margin -> probability'),
  );
  return encodeModel({
    name: 'heavy-score',
    nodes,
    initializers: [
      constant('first', [2, WIDTH], new Float32Array(2 * WIDTH).fill(0.01)),
      constant('square', [WIDTH, WIDTH], new Float32Array(WIDTH * WIDTH).fill(0.01)),
      constant('none', [WIDTH, 1], new Float32Array(WIDTH)),
      constant('weights', [2, 1], Float32Array.of(weight, -weight)),
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, 2] },
    output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
  });
}

/** The logarithm of a negative margin is no number; a row of zeros, as at load, is answered. */
function brokenModel(weight: number) {
  return encodeModel({
    name: 'broken-score',
    nodes: [
      node('MatMul', 'features weights -> own'),
      node('Log', 'own -> margin'),
      node('Sigmoid', 'margin -> probability'),
    ],
    initializers: [constant('weights', [2, 1], Float32Array.of(weight, -weight))],
    input: { name: 'features', datatype: 'FP32', shape: [-1, 2] },
    output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
  });
}
