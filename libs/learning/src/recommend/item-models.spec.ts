import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';
import { randomInteger, seededRandom } from '../random/seeded-random.js';
import type { IndexedCustomer } from './interactions.js';
import { fitItemModel, type ItemModelSetting } from './item-models.js';
import { coOccurrence, nearCounts, nextCounts } from './pair-counts.js';

const aCustomer = (...items: number[]): IndexedCustomer => ({
  items: Uint32Array.from(items),
  relevant: new Uint8Array(items.length).fill(1),
  at: Float64Array.from(items.keys()),
});

describe('pair counts', () => {
  it('counts co-occurrence, nearness and succession as worked out by hand', () => {
    const e = Math.exp(-1 / 2);
    expect([...coOccurrence([[0, 1], [1]], 2)]).toEqual([1, 0, 1, 2]);
    const near = nearCounts([[0, 1, 0]], 2, 2);
    expect(near[0]).toBeCloseTo(2 + 2 * e * e, 12);
    expect(near[2]).toBeCloseTo(2 * e, 12);
    expect(near[3]).toBe(1);
    const next = nextCounts([[0, 1, 0]], 2, 2);
    expect([...next]).toEqual([e, 1, 1, 0]);
  });

  it('of an endless reach is co-occurrence', () => {
    const baskets = [
      [0, 2, 1],
      [2, 3],
    ];
    const plain = coOccurrence(baskets, 4);
    nearCounts(baskets, 4, 1e9).forEach((value, i) => expect(value).toBeCloseTo(plain[i] ?? 0, 6));
  });
});

describe('nearCounts', () => {
  it('is positive semi-definite for any sequences, repeats included', () => {
    const sequences = fc.array(fc.array(fc.nat(4), { maxLength: 30 }), { maxLength: 10 });
    const reach = fc.constantFrom(0.5, 3, 30);
    fc.assert(
      fc.property(sequences, reach, (drawn, reachItems) => {
        const counts = nearCounts(drawn, 5, reachItems);
        for (let i = 0; i < 5; i++) counts[i * 6] = (counts[i * 6] ?? 0) + 1e-3;
        expect(() => invertPositiveDefinite(counts, 5)).not.toThrow();
      }),
    );
  });
});

describe('fitItemModel', () => {
  const random = seededRandom(2);
  const chain = Array.from({ length: 200 }, () => {
    const first = randomInteger(random, 10);
    return aCustomer(first, (first + 1) % 10, (first + 2) % 10);
  });
  const best = async (setting: ItemModelSetting, item: number): Promise<number> => {
    const row = (await fitItemModel(chain, 10, setting)).subarray(item * 10, (item + 1) * 10);
    return row.indexOf(Math.max(...row));
  };

  it('knows with `next` what follows, which co-occurrence cannot', async () => {
    for (const item of [0, 4, 9])
      expect(await best({ model: 'next', regularisation: 1, reachItems: 1 }, item)).toBe((item + 1) % 10);
  });

  it('gives rows of mean length 1 and nothing on the diagonal of the symmetric kinds', async () => {
    for (const model of ['ease', 'ease-relevant', 'ease-near', 'item-knn'] as const) {
      const weights = await fitItemModel(chain, 10, { model, regularisation: 5, reachItems: 3 });
      const lengths = Array.from({ length: 10 }, (_, i) =>
        Math.hypot(...weights.subarray(i * 10, i * 10 + 10)),
      );
      expect(lengths.reduce((sum, length) => sum + length, 0) / 10).toBeCloseTo(1, 5);
      for (let i = 0; i < 10; i++) expect(weights[i * 11]).toBe(0);
    }
  });

  it('weighs neighbours by shrunken cosine, as worked out by hand', async () => {
    const weights = await fitItemModel([aCustomer(0, 1), aCustomer(0, 1), aCustomer(0, 2)], 3, {
      model: 'item-knn',
      regularisation: 2,
      reachItems: null,
    });
    // Before scaling: w01 = 2/√6 · 2/4, w02 = 1/√3 · 1/3; their ratio does not depend on the scale.
    expect((weights[1] ?? 0) / (weights[2] ?? 1)).toBeCloseTo(1 / Math.sqrt(6) / (1 / (3 * Math.sqrt(3))), 5);
  });

  it('has zeros where nobody met anything, and refuses a regularisation that is not positive', async () => {
    const setting = { model: 'item-knn', regularisation: 5, reachItems: null } as const;
    expect([...(await fitItemModel([], 2, setting))]).toEqual([0, 0, 0, 0]);
    await expect(fitItemModel(chain, 10, { ...setting, model: 'ease', regularisation: 0 })).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });
});
