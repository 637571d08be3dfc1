import { describe, expect, it } from 'vitest';
import { leafOf, predictMargin, predictMargins, type TreeEnsemble } from './tree-ensemble.js';

/** x0 <= 1.5 ? (x1 <= -2 ? 10 : 20) : 30, missing x0 goes right and missing x1 left; plus a tree that is one leaf of 0.5. */
const ensemble: TreeEnsemble = {
  baseScore: 100,
  trees: [
    {
      feature: Int32Array.of(0, 1, -1, -1, -1),
      threshold: Float64Array.of(1.5, -2, 0, 0, 0),
      left: Int32Array.of(1, 3, -1, -1, -1),
      right: Int32Array.of(2, 4, -1, -1, -1),
      defaultLeft: Uint8Array.of(0, 1, 0, 0, 0),
      value: Float64Array.of(0, 0, 30, 10, 20),
      cover: Float64Array.of(6, 4, 2, 1, 3),
    },
    {
      feature: Int32Array.of(-1),
      threshold: Float64Array.of(0),
      left: Int32Array.of(-1),
      right: Int32Array.of(-1),
      defaultLeft: Uint8Array.of(0),
      value: Float64Array.of(0.5),
      cover: Float64Array.of(6),
    },
  ],
};

describe('predictMargin', () => {
  it('adds the base score and one leaf of every tree', () => {
    expect(predictMargin(ensemble, [1, -3])).toBe(110.5);
    expect(predictMargin(ensemble, [1, 0])).toBe(120.5);
    expect(predictMargin(ensemble, [2, 0])).toBe(130.5);
  });

  it('goes left at the threshold itself and right just above it', () => {
    expect(predictMargin(ensemble, [1.5, -2])).toBe(110.5);
    expect(predictMargin(ensemble, [1.5000000000000002, -2])).toBe(130.5);
  });

  it('routes a missing value by the node, not by a rule for all', () => {
    expect(predictMargin(ensemble, [Number.NaN, 0])).toBe(130.5);
    expect(predictMargin(ensemble, [0, Number.NaN])).toBe(110.5);
    expect(predictMargin(ensemble, [0])).toBe(110.5);
  });

  it('names the leaf and predicts whole tables the same way', () => {
    const [first] = ensemble.trees;
    expect(first && leafOf(first, [1, 0])).toBe(4);
    expect([...predictMargins(ensemble, Float64Array.of(1, -3, 2, 0), 2)]).toEqual([110.5, 130.5]);
  });
});
