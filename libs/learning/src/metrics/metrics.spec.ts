import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import {
  bootstrap,
  measuredAuc,
  measuredMean,
  measuredRootMean,
  pairedDifference,
  quantile,
} from './bootstrap.js';
import { crc32, isTestRow } from './crc32-split.js';
import { auc, brierScores, logLoss, mae, mean, rmse } from './probability.js';
import { ndcgAtK, recallAtK } from './ranking.js';

describe('ndcgAtK and recallAtK', () => {
  it('equal the values worked out by hand', () => {
    const relevant = new Set([1, 2, 3]);
    const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4);
    expect(ndcgAtK([1, 9, 2, 8], relevant, 3)).toBeCloseTo((1 + 1 / Math.log2(4)) / ideal, 12);
    expect(recallAtK([1, 9, 2, 8], relevant, 3)).toBeCloseTo(2 / 3, 12);
    expect(ndcgAtK([5, 1], new Set([1]), 10)).toBeCloseTo(1 / Math.log2(3), 12);
  });

  it('are 1 for the best order, 0 without a relevant item, and refuse a cut-off below 1', () => {
    expect(ndcgAtK([3, 4, 1], new Set([3, 4]), 2)).toBe(1);
    expect(ndcgAtK([3, 4], new Set(), 2)).toBe(0);
    expect(recallAtK([3, 4], new Set(), 2)).toBe(0);
    expect(() => ndcgAtK([1], new Set([1]), 0)).toThrow(RangeError);
    expect(() => recallAtK([1], new Set([1]), 1.5)).toThrow(RangeError);
  });
});

describe('auc', () => {
  it('counts ordered pairs, ties half', () => {
    expect(auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])).toBe(0.75);
    expect(auc([0, 1, 0, 1], [1, 1, 1, 1])).toBe(0.5);
    expect(auc([1, 1], [1, 2])).toBeNaN();
    expect(() => auc([0, 1], [0, Number.NaN])).toThrow(RangeError);
    expect(() => auc([0], [0, 1])).toThrow(RangeError);
  });

  it('agrees with counting all pairs for any labels and scores', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: -3, max: 3 })), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(rows, (pairs) => {
        const [labels, scores] = [pairs.map(([l]) => l), pairs.map(([, s]) => s)];
        const positives = pairs.filter(([l]) => l === 1);
        const negatives = pairs.filter(([l]) => l === 0);
        if (positives.length === 0 || negatives.length === 0) return;
        let wins = 0;
        for (const [, p] of positives) for (const [, n] of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0;
        expect(auc(labels, scores)).toBeCloseTo(wins / (positives.length * negatives.length), 10);
      }),
    );
  });
});

describe('losses', () => {
  it('equal the values worked out by hand', () => {
    expect(logLoss([1, 0], [0.8, 0.4])).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6)) / 2, 12);
    expect(logLoss([1], [0])).toBeCloseTo(-Math.log(1e-15), 6);
    expect(mean(brierScores([1, 0], [0.8, 0.4]))).toBeCloseTo((0.04 + 0.16) / 2, 12);
    expect(rmse([1, 2], [2, 4])).toBeCloseTo(Math.sqrt(2.5), 12);
    expect(mae([1, 2], [2, 4])).toBe(1.5);
  });
});

describe('bootstrap', () => {
  const random = seededRandom(2);
  const values = Float64Array.from({ length: 400 }, () => random());

  it('repeats for a seed and has the width that the normal theory gives', () => {
    const measured = measuredMean(values, { seed: 1, resamples: 1000 });
    expect(measuredMean(values, { seed: 1, resamples: 1000 })).toEqual(measured);
    expect(measured.value).toBeCloseTo(mean(values), 12);
    const expectedWidth = 2 * 1.645 * Math.sqrt(1 / 12 / 400);
    expect(Math.abs((measured.high - measured.low) / expectedWidth - 1)).toBeLessThan(0.15);
    expect(measured.low).toBeLessThan(measured.value);
    expect(measured.high).toBeGreaterThan(measured.value);
  });

  it('measures roots, AUC and paired differences', () => {
    const labels = Array.from(values, (v) => (v + random() > 1 ? 1 : 0));
    const area = measuredAuc(labels, values, { seed: 3 });
    expect(area.value).toBe(auc(labels, values));
    expect(area.low).toBeGreaterThan(0.7);
    expect(measuredRootMean([4, 4], { seed: 1 })).toEqual({ value: 2, low: 2, high: 2, level: 0.9 });
    const same = pairedDifference(values, values, { seed: 3 });
    expect([same.value, same.low, same.high]).toEqual([0, 0, 0]);
  });

  it('leaves out resamples without a value and refuses no rows', () => {
    expect(bootstrap(2, (w) => (w[0] === 0 ? Number.NaN : 5), { seed: 1 })).toEqual({
      value: 5,
      low: 5,
      high: 5,
      level: 0.9,
    });
    expect(() => measuredMean([], { seed: 1 })).toThrow(RangeError);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([], 0.5)).toBeUndefined();
  });
});

describe('isTestRow', () => {
  it("equals zlib's CRC-32 and the published first test rows", () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32('')).toBe(0);
    expect(Array.from({ length: 20 }, (_, i) => i).filter((i) => isTestRow(i))).toEqual([3, 6, 8, 10, 19]);
  });
});
