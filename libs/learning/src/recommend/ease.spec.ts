import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { easeWeights, explainItem, type DenseSimilarity, scoreItems, withPrior } from './ease.js';
import { fillHistoryRow, historyWeights, weighHistory } from './history-weights.js';
import { coOccurrence } from './pair-counts.js';
import { rankSlate } from './rank-slate.js';

const code = (name: string): unknown => expect.objectContaining({ code: name });

describe('historyWeights', () => {
  it('weighs the newest item 1 and falls to 1/e after tau items', () => {
    const weights = historyWeights(3, 2);
    expect(weights[2]).toBe(1);
    expect(weights[0]).toBeCloseTo(Math.exp(-1), 15);
    expect([...historyWeights(3, null)]).toEqual([1, 1, 1]);
    expect(historyWeights(0, 5)).toHaveLength(0);
  });

  it('refuses a tau of zero or below', () => {
    expect(() => historyWeights(2, 0)).toThrow(code('INVALID_INPUT'));
    expect(() => historyWeights(2, -1)).toThrow(code('INVALID_INPUT'));
    expect(() => historyWeights(2, Number.NaN)).toThrow(code('INVALID_INPUT'));
  });
});

describe('weighHistory', () => {
  it('counts a repeated item once, at its latest place', () => {
    const { items, weights } = weighHistory([7, 3, 7, 5], 1);
    expect([...items]).toEqual([3, 7, 5]);
    expect(weights[1]).toBeCloseTo(Math.exp(-1), 15);
  });

  it('fills the input row with the weights and the prior column', () => {
    const row = new Float32Array(4).fill(9);
    fillHistoryRow(row, weighHistory([2, 0], null));
    expect([...row]).toEqual([1, 0, 1, 1]);
  });
});

const fitEase = async (
  counts: Float64Array,
  popularity: number[],
  lambda: number,
): Promise<DenseSimilarity> =>
  withPrior(await easeWeights(counts, popularity.length, { lambda }), popularity);

describe('EASE', () => {
  it('equals the closed form worked out by hand for two items', async () => {
    // Three customers have item 0, two item 1, one both: G + I = [[4, 1], [1, 3]], P = [[3, −1], [−1, 4]] / 11.
    const { matrix } = await fitEase(coOccurrence([[0], [0, 1], [1], [0]], 2), [3, 2], 1);
    expect(matrix[0]).toBe(0);
    expect(matrix[1]).toBeCloseTo(1 / 4, 6);
    expect(matrix[2]).toBeCloseTo(1 / 3, 6);
    expect(matrix[3]).toBe(0);
  });

  it('ranks a customer without history by popularity, and never lets popularity outvote a neighbour', async () => {
    const customers = [[0, 1], [0, 1], [0, 1], [2], [2], [2], [2], [2], [2]];
    const similarity = await fitEase(coOccurrence(customers, 4), [3, 3, 6, 0], 1);
    const scores = new Float64Array(4);
    scoreItems(similarity, weighHistory([], null), scores);
    expect(rankSlate(scores, { first: 4 })).toEqual([2, 0, 1, 3]);
    scoreItems(similarity, weighHistory([0], null), scores);
    expect(rankSlate(scores, { first: 2, exclude: new Set([0]) })).toEqual([1, 2]);
  });

  it('explains a score exactly: contributions of the history and the prior sum to it', async () => {
    const similarity = await fitEase(
      coOccurrence(
        [
          [0, 1, 2],
          [1, 2],
          [0, 2],
          [0, 1, 2, 3],
        ],
        4,
      ),
      [3, 3, 4, 1],
      0.5,
    );
    const history = weighHistory([0, 1], 3);
    const scores = new Float64Array(4);
    scoreItems(similarity, history, scores);
    const reasons = explainItem(similarity, history, 2, 5);
    const prior = similarity.matrix[4 * 4 + 2] ?? 0;
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.reduce((sum, { contribution }) => sum + contribution, prior)).toBeCloseTo(
      scores[2] ?? 0,
      12,
    );
    expect(explainItem(similarity, history, 2, 1)).toEqual(reasons.slice(0, 1));
  });

  it('has a prior of zeros where nothing was popular, and refuses no items and no regularisation', async () => {
    const { matrix } = await fitEase(coOccurrence([[0]], 1), [0], 1);
    expect([...matrix]).toEqual([0, 0]);
    await expect(fitEase(new Float64Array(0), [], 1)).rejects.toThrow(code('DATA_INSUFFICIENT'));
    await expect(fitEase(new Float64Array(1), [1], 0)).rejects.toThrow(code('INVALID_INPUT'));
  });
});

describe('rankSlate', () => {
  it('equals a stable sort of what is not excluded, for any scores', () => {
    const scores = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        scores,
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat(39)),
        (values, first, excluded) => {
          const exclude = new Set(excluded);
          const sorted = values
            .map((_, item) => item)
            .filter((item) => !exclude.has(item))
            .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
          expect(rankSlate(values, { exclude, first })).toEqual(sorted.slice(0, first));
        },
      ),
    );
  });

  it('never ranks NaN and refuses a length below 1', () => {
    expect(rankSlate([Number.NaN, 1, Number.NaN, 2], { first: 9 })).toEqual([3, 1]);
    expect(() => rankSlate([1], { first: 0 })).toThrow(code('INVALID_INPUT'));
  });
});
