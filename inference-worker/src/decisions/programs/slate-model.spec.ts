import type { RecommendSpec } from '@sextant/artefacts';
import { describe, expect, it } from 'vitest';
import { customerModel } from './slate-model.js';

function spec(rank: number | null): RecommendSpec {
  return {
    task: 'recommend',
    items: ['a', 'b'],
    components: [],
    tauItems: null,
    excludeHistory: true,
    rank,
    similarityFile: 'similarity.f32',
  };
}

describe('customerModel', () => {
  it('explains by the product of factors, which is what the model multiplies', () => {
    // Sources [3, 1], targets [1, 2].
    const model = customerModel(spec(1), Float32Array.of(2, 3, 5, 7, 11));
    const sources = model.weigh([0, 1]);
    expect(model.contribution(sources, 0, 1)).toBe(22);
    expect(model.contribution(sources, 1, 0)).toBe(21);
    expect(model.rows).toBeNull();
  });

  it('fills the weights and the prior, and bars the history where the policy says so', () => {
    const model = customerModel(spec(null), Float32Array.of(0, 1, 1, 0, 2, 2));
    const sources = model.weigh([1]);
    const row = new Float32Array(model.width).fill(9);
    model.fill(row, sources);
    expect([...row]).toEqual([0, 1, 1]);
    expect([...Array.from(model.barred(sources))]).toEqual([1]);
  });
});
