import { DomainError } from '@sextant/domain';
import { attribute, constant, encodeModel, node, type OnnxModel } from './onnx-model.js';

export interface SessionTensors {
  itemCount: number;
  /** Shape [items, items] row-major. */
  transitions: Float32Array;
  /** Added to every row, shape [items]. */
  prior: Float32Array;
}

/**
 * Scores of all items for the next view: sources × transitions + repeats + prior.
 *
 * Input `session` FP32 [-1, 2 × items] (sources, then repeats), output `scores` FP32 [-1, items].
 *
 * @throws DomainError FEATURE_VECTOR_MISMATCH when the sizes do not fit together
 */
export function writeSessionModel({ itemCount, transitions, prior }: SessionTensors): OnnxModel {
  if (transitions.length !== itemCount * itemCount || prior.length !== itemCount) {
    throw new DomainError(
      'FEATURE_VECTOR_MISMATCH',
      `transitions must be [${itemCount}, ${itemCount}] and the prior [${itemCount}]`,
    );
  }
  return encodeModel({
    name: 'session',
    nodes: [
      node('Split', 'session halves -> sources repeats', [attribute.int('axis', 1)]),
      node('MatMul', 'sources transitions -> onward'),
      node('Add', 'onward repeats -> evidence'),
      node('Add', 'evidence prior -> scores'),
    ],
    initializers: [
      constant('halves', [2], BigInt64Array.of(BigInt(itemCount), BigInt(itemCount))),
      constant('transitions', [itemCount, itemCount], transitions),
      constant('prior', [itemCount], prior),
    ],
    input: { name: 'session', datatype: 'FP32', shape: [-1, 2 * itemCount] },
    output: { name: 'scores', datatype: 'FP32', shape: [-1, itemCount] },
  });
}
