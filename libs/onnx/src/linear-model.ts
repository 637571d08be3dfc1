import { DomainError } from '@sextant/domain';
import { castTo, constant, DOUBLE, encodeModel, node, type OnnxModel } from './onnx-model.js';
import { type OutputHead, writeHead } from './output-head.js';

/** margin = coefficients · features + intercept. */
export interface LinearModel {
  coefficients: ArrayLike<number>;
  intercept: number;
}

/**
 * A linear or logistic model; the arithmetic runs in float64, so that many large weights cost no accuracy.
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
