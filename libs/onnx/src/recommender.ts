import { DomainError } from '@sextant/domain';
import { type FactorSimilarity, isDense, type ItemSimilarity } from '@sextant/learning/recommend';
import { constant, encodeModel, node, type OnnxModel } from './onnx-model.js';

/**
 * Scores of all items from weighed histories: one product with the similarity matrix and its prior row, or one with each of its two
 * factors.
 *
 * Input `history` FP32 [-1, items + 1] (last column always 1), output `scores` FP32 [-1, items].
 *
 * @throws DomainError FEATURE_VECTOR_MISMATCH when the matrix is not [items + 1, items], or the factors are not [items + 1, rank] and
 *   [rank, items]
 */
export function writeRecommender(similarity: ItemSimilarity): OnnxModel {
  const { itemCount } = similarity;
  const shape = { input: [-1, itemCount + 1], output: [-1, itemCount] };
  const signature = {
    name: 'recommender',
    input: { name: 'history', datatype: 'FP32' as const, shape: shape.input },
    output: { name: 'scores', datatype: 'FP32' as const, shape: shape.output },
  };
  if (!isDense(similarity)) return encodeModel({ ...signature, ...factorGraph(similarity) });
  if (similarity.matrix.length !== (itemCount + 1) * itemCount) {
    throw new DomainError('FEATURE_VECTOR_MISMATCH', `similarity must be [${itemCount + 1}, ${itemCount}]`);
  }
  return encodeModel({
    ...signature,
    nodes: [node('MatMul', 'history similarity -> scores')],
    initializers: [constant('similarity', [itemCount + 1, itemCount], similarity.matrix)],
  });
}

function factorGraph({ itemCount, rank, sources, targets }: FactorSimilarity): {
  nodes: object[];
  initializers: object[];
} {
  if (sources.length !== (itemCount + 1) * rank || targets.length !== rank * itemCount) {
    throw new DomainError(
      'FEATURE_VECTOR_MISMATCH',
      `factors must be [${itemCount + 1}, ${rank}] and [${rank}, ${itemCount}]`,
    );
  }
  return {
    nodes: [node('MatMul', 'history sources -> factor'), node('MatMul', 'factor targets -> scores')],
    initializers: [
      constant('sources', [itemCount + 1, rank], sources),
      constant('targets', [rank, itemCount], targets),
    ],
  };
}
