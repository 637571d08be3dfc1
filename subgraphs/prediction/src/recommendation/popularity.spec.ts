import type { PopularItem } from '@sextant/features';
import { describe, expect, it } from 'vitest';
import { Popularity } from './popularity.js';

describe('Popularity', () => {
  it('reads a tenant once a minute, however many ask, and keeps what it knew when the store goes away', async () => {
    const state = { now: 0, reads: 0, isDown: false };
    const popularItems = (tenantId: string): Promise<PopularItem[]> => {
      state.reads += 1;
      return state.isDown
        ? Promise.reject(new Error('away'))
        : Promise.resolve([{ productId: tenantId, customers: state.reads }]);
    };
    const popularity = new Popularity({ popularItems }, 1_000, () => state.now);
    await Promise.all([popularity.itemsOf('a'), popularity.itemsOf('a'), popularity.itemsOf('b')]);
    expect(state.reads).toBe(2);
    state.now = 59_999;
    expect(await popularity.itemsOf('a')).toEqual([{ productId: 'a', customers: 1 }]);
    state.now = 60_000;
    expect(await popularity.itemsOf('a')).toEqual([{ productId: 'a', customers: 3 }]);
    state.isDown = true;
    state.now = 120_000;
    expect(await popularity.itemsOf('a')).toEqual([{ productId: 'a', customers: 3 }]);
    await expect(popularity.itemsOf('c')).rejects.toThrow('away');
    state.isDown = false;
    expect(await popularity.itemsOf('c')).toHaveLength(1);
  });
});
