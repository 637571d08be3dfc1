import { DomainError } from '@sextant/domain';
import { isGentle, writeGpuHead } from './gpu-head.js';
import { attribute, castTo, constant, DOUBLE, encodeModel, node, type OnnxModel } from './onnx-model.js';
import { type OutputHead, writeHead } from './output-head.js';

/** margin = coefficients · features + intercept. */
export interface LinearModel {
  coefficients: ArrayLike<number>;
  intercept: number;
}

/** Weights beyond this sum of sizes lose more than 1e-6 of a probability in float32, at features of a few units. */
const MOST_WEIGHT = 32;

/**
 * A linear or logistic model; the arithmetic runs in float64, so that many large weights cost no accuracy. Where they are not large it
 * is also written in float32, for GPUs.
 *
 * Input `features` FP32 [-1, F], output by the head: `probability` or `log_units` FP32 [-1, 1].
 *
 * @throws DomainError FEATURE_VECTOR_MISMATCH when there is no coefficient or one is not finite
 */
export function writeLinearModel({ coefficients, intercept }: LinearModel, head: OutputHead): OnnxModel {
  const weights = Float64Array.from(coefficients);
  if (weights.length === 0 || !weights.every(Number.isFinite) || !Number.isFinite(intercept)) {
    throw new DomainError(
      'FEATURE_VECTOR_MISMATCH',
      'a linear model needs at least one coefficient, all finite',
    );
  }
  const model = writeWide(weights, intercept, head);
  const size = weights.reduce((sum, weight) => sum + Math.abs(weight), Math.abs(intercept));
  return size > MOST_WEIGHT || !isGentle(head)
    ? model
    : { ...model, gpuBytes: writeForGpu(weights, intercept, head).bytes };
}

function writeWide(weights: Float64Array, intercept: number, head: OutputHead): OnnxModel {
  const { nodes, initializers, output } = writeHead(head, DOUBLE);
  return encodeModel({
    name: 'linear-model',
    nodes: [
      castTo(DOUBLE, 'features -> wide_features'),
      node('MatMul', 'wide_features weights -> product'),
      node('Add', 'product intercept -> margin'),
      ...nodes,
    ],
    initializers: [
      constant('weights', [weights.length, 1], weights),
      constant('intercept', [1], Float64Array.of(intercept)),
      ...initializers,
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, weights.length] },
    output,
  });
}

/** By products and sums of elements: a GPU may multiply matrices with 11 significant bits. */
function writeForGpu(weights: Float64Array, intercept: number, head: OutputHead): OnnxModel {
  const { nodes, initializers, output } = writeGpuHead(head);
  return encodeModel({
    name: 'linear-model',
    nodes: [
      node('Mul', 'features weights -> products'),
      node('ReduceSum', 'products columns -> product', [attribute.int('keepdims', 1)]),
      node('Add', 'product intercept -> margin'),
      ...nodes,
    ],
    initializers: [
      constant('weights', [1, weights.length], Float32Array.from(weights)),
      constant('columns', [1], BigInt64Array.of(1n)),
      constant('intercept', [1], Float32Array.of(intercept)),
      ...initializers,
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, weights.length] },
    output,
  });
}
