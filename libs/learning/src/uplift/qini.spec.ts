import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairedQini, qini, qiniCurve, weightedAuuc, weightedQini } from './qini.js';

/** Four customers, best first: treated who acts, control who does not, treated who does not, control who acts. */
const four = { treated: [1, 0, 1, 0], outcomes: [1, 0, 0, 1], scores: [4, 3, 2, 1] };
const ones = (n: number) => new Float64Array(n).fill(1);

describe('qini', () => {
  it('equals the area worked out by hand', () => {
    // g: 0 (no control yet), 1 − 0, 1 − 0, 1 − 1 · 2 / 2 = 0; trapezoids over quarters: (0 + 0.5 + 1 + 0.5) / 4 = 0.5; random: 0
    expect(qini(four)).toBeCloseTo(0.5 / 4, 12);
  });

  it('has the curve of those gains, a customer', () => {
    expect(qiniCurve(four).map(({ share, gain }) => [share, gain])).toEqual([
      [0, 0],
      [0.25, 0],
      [0.5, 0.25],
      [0.75, 0.25],
      [1, 0],
    ]);
  });

  it('is 0 for a ranking of one value only, since ties share one step', () => {
    expect(qini({ ...four, scores: [1, 1, 1, 1] })).toBe(0);
    const treatedOnly = { treated: [1, 0, 1, 0], outcomes: [1, 0, 1, 0], scores: [0, 0, 0, 0] };
    expect(qini(treatedOnly)).toBe(0);
    // everybody treated acts: random targeting gains half of the whole effect under Gutierrez and Gérardy's curve
    expect(weightedAuuc(treatedOnly)(ones(4))).toBeCloseTo(0.5, 12);
  });

  it('changes its sign when the ranking is turned round and each score has both arms', () => {
    const pairs = { treated: [1, 0, 1, 0], outcomes: [1, 0, 0, 0] };
    expect(qini({ ...pairs, scores: [2, 2, 1, 1] })).toBeCloseTo(
      -qini({ ...pairs, scores: [1, 1, 2, 2] }),
      12,
    );
  });

  it('counts a multiplicity as that many equal rows', () => {
    const row = fc.record({
      treated: fc.constantFrom(0, 1),
      outcome: fc.constantFrom(0, 1),
      score: fc.integer({ min: 0, max: 5 }),
      times: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        const expand = rows.flatMap((each) => Array.from({ length: each.times }, () => each));
        const of = (list: typeof rows) => ({
          treated: list.map(({ treated }) => treated),
          outcomes: list.map(({ outcome }) => outcome),
          scores: list.map(({ score }) => score),
        });
        const weighted = weightedQini(of(rows))(Float64Array.from(rows, ({ times }) => times));
        const plain = expand.length === 0 ? Number.NaN : qini(of(expand));
        if (Number.isNaN(plain)) expect(weighted).toBeNaN();
        else expect(weighted).toBeCloseTo(plain, 10);
      }),
    );
  });

  it('does not depend on a monotone change of the scores', () => {
    const scores = four.scores.map((score) => Math.exp(score));
    expect(qini({ ...four, scores })).toBe(qini(four));
  });

  it('is NaN without one of the arms and refuses lengths that differ and scores that are NaN', () => {
    expect(qini({ treated: [1, 1], outcomes: [1, 0], scores: [1, 2] })).toBeNaN();
    expect(qini({ treated: [], outcomes: [], scores: [] })).toBeNaN();
    expect(() => qini({ ...four, scores: [1] })).toThrow(RangeError);
    expect(() => qini({ ...four, scores: [1, 2, Number.NaN, 0] })).toThrow('score 2 is NaN');
  });

  it('differs by nothing from itself', () => {
    const difference = pairedQini(four, four.scores, { seed: 1, resamples: 20 });
    expect([difference.value, difference.low, difference.high]).toEqual([0, 0, 0]);
  });
});
