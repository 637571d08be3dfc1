import { DomainError } from '@sextant/domain';
import type { ItemSimilarity } from '@sextant/learning';
import { constant, encodeModel, node, type OnnxModel } from './onnx-model.js';

/**
 * Scores of all items from weighed histories: one product with the similarity matrix and its prior row.
 *
 * Input `history` FP32 [-1, items + 1] (last column always 1), output `scores` FP32 [-1, items].
 *
 * @throws DomainError FEATURE_VECTOR_MISMATCH when the matrix is not [items + 1, items]
 */
export function writeRecommender({ itemCount, matrix }: ItemSimilarity): OnnxModel {
  if (matrix.length !== (itemCount + 1) * itemCount) {
    throw new DomainError('FEATURE_VECTOR_MISMATCH', `similarity must be [${itemCount + 1}, ${itemCount}]`);
  }
  return encodeModel({
    name: 'recommender',
    nodes: [node('MatMul', 'history similarity -> scores')],
    initializers: [constant('similarity', [itemCount + 1, itemCount], matrix)],
    input: { name: 'history', datatype: 'FP32', shape: [-1, itemCount + 1] },
    output: { name: 'scores', datatype: 'FP32', shape: [-1, itemCount] },
  });
}
