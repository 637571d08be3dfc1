import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeSlate } from './compose-slate.js';
import { rankSlate } from './rank-slate.js';

const scores = [0.9, 0.8, 0.7, 0.6, 0.1];
const ids = (slate: { item: number }[]): number[] => slate.map(({ item }) => item);
const parity = (a: number, b: number): number => (a % 2 === b % 2 ? 1 : 0);
const category = (item: number): string | null => (item === 4 ? null : item < 3 ? 'shoes' : 'hats');

describe('composeSlate', () => {
  it('is the order by score without rules', () => {
    expect(ids(composeSlate(scores, { first: 3 }))).toEqual([0, 1, 2]);
  });

  it('leaves out what is excluded and what is sold out; stock that nobody counts is free', () => {
    const stock = [0, 5, Number.NaN, -1];
    expect(ids(composeSlate(scores, { first: 5, stock, exclude: new Set([1]) }))).toEqual([2, 4]);
  });

  it('puts pins first in their order, each once, and says so; a pin that is sold out stays out', () => {
    const slate = composeSlate(scores, { first: 3, pin: [4, 3, 4], stock: [1, 1, 1, 0, 1] });
    expect(slate.map(({ item, pinned }) => [item, pinned])).toEqual([
      [4, true],
      [0, false],
      [1, false],
    ]);
  });

  it('caps a category with pins counted, and skips however many it must', () => {
    const cap = { categoryOf: category, most: 1 };
    expect(ids(composeSlate(scores, { first: 5, cap }))).toEqual([0, 3, 4]);
    expect(ids(composeSlate(scores, { first: 5, cap, pin: [2] }))).toEqual([2, 3, 4]);
  });

  it('trades score for variety as worked out by hand', () => {
    // Scaled scores 1, .875, .75, .625, 0. λ = .5: 0 first; then 1 (.4375 − 0) beats 2 (.375 − .5); then 2 (.375 − .5) beats 3 (.3125 − .5).
    const diversity = { lambda: 0.5, similarity: parity };
    expect(ids(composeSlate(scores, { first: 3, diversity }))).toEqual([0, 1, 2]);
    const twins = [0.9, 0.5, 0.88, 0.1];
    expect(ids(composeSlate(twins, { first: 3, diversity }))).toEqual([0, 1, 2]);
    expect(ids(composeSlate(twins, { first: 3, diversity: { ...diversity, lambda: 1 } }))).toEqual([0, 2, 1]);
    expect(ids(composeSlate(twins, { first: 2, diversity, pin: [1] }))).toEqual([1, 0]);
  });

  it('with λ of 1 is the order by score, for any scores and any similarity', () => {
    const drawn = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(drawn, fc.integer({ min: 1, max: 10 }), (values, first) => {
        const diversity = { lambda: 1, similarity: parity };
        const slate = ids(composeSlate(values, { first, diversity }));
        expect(slate.map((item) => values[item])).toEqual(
          rankSlate(values, { first }).map((item) => values[item]),
        );
        expect(new Set(slate).size).toBe(slate.length);
      }),
    );
  });

  it('gives nothing where the rules leave nothing', () => {
    expect(composeSlate([], { first: 3 })).toEqual([]);
    expect(composeSlate([Number.NaN], { first: 3 })).toEqual([]);
    expect(composeSlate([1], { first: 3, stock: [0], pin: [0] })).toEqual([]);
  });

  it.each([
    ['first', { first: 0 }],
    ['cap.most', { first: 1, cap: { categoryOf: category, most: 0 } }],
    ['diversity.lambda', { first: 1, diversity: { lambda: 1.1, similarity: parity } }],
    ['pin', { first: 1, pin: [9] }],
  ])('refuses a bad %s', (path, rules) => {
    expect(() => composeSlate(scores, rules)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', path }),
    );
  });
});
