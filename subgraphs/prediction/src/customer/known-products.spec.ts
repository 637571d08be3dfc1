import { emptyState, NOT_RELEVANT } from '@sextant/features';
import { describe, expect, it } from 'vitest';
import { knownProductsOf } from './customer-features.service.js';

function aState(...met: [productId: string, kind?: string][]) {
  const state = emptyState('cus_1');
  state.interactions.productIds = met.map(([productId]) => productId);
  state.interactions.kinds = met.map(([, kind = 'i']) => kind).join('');
  return state;
}

describe('knownProductsOf', () => {
  it('names each product once, at its latest occurrence, oldest first', () => {
    expect(knownProductsOf(aState(['a'], ['b'], ['a'], ['c', 'v'], ['b', 'o']))).toEqual({
      history: ['a', 'c', 'b'],
      disliked: [],
    });
    expect(knownProductsOf(emptyState('cus_1'))).toEqual({ history: [], disliked: [] });
  });

  it('counts as disliked only what never met with approval', () => {
    const state = aState(
      ['x', NOT_RELEVANT],
      ['a'],
      ['a', NOT_RELEVANT],
      ['y', NOT_RELEVANT],
      ['x', NOT_RELEVANT],
      ['b', NOT_RELEVANT],
      ['b'],
    );
    expect(knownProductsOf(state)).toEqual({ history: ['a', 'b'], disliked: ['y', 'x'] });
  });
});
