import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { leastCostPairs } from './assignment.js';
import { behaviourRow, fitBehaviour, hasBehaviour } from './behaviour.js';
import { chooseSegments } from './choose-segments.js';
import { adjustedRandIndex } from './cluster-quality.js';
import { betaBinomialTail, findEmerging } from './emerging.js';
import { findLookalikes, lookalikeScores } from './lookalike.js';
import { matchSegments } from './match-segments.js';
import { pointsOf } from './points.js';
import { nameSegments, profileSegments } from './profile.js';
import { rfmScores } from './rfm.js';
import { assignSegments } from './segmentation.js';

const random = seededRandom(11);
const cloud = (x: number, y: number, n: number) =>
  Array.from({ length: n }, () => [x + 0.5 * randomNormal(random), y + 0.5 * randomNormal(random)]);
const FOUR = [...cloud(0, 0, 80), ...cloud(6, 0, 80), ...cloud(0, 6, 80), ...cloud(6, 6, 80)];
const TRUE = Array.from({ length: 320 }, (_, i) => Math.floor(i / 80));

describe('chooseSegments', () => {
  it('finds the number of clouds without being told, and the same again', () => {
    const chosen = chooseSegments(pointsOf(FOUR), ['x', 'y'], { seed: 1, maxSegments: 7, resamples: 10 });
    expect(chosen.chosen.k).toBe(4);
    expect(chosen.chosen.stability.value).toBeGreaterThan(0.98);
    expect(adjustedRandIndex(chosen.labels, TRUE)).toBe(1);
    expect(chooseSegments(pointsOf(FOUR), ['x', 'y'], { seed: 1, maxSegments: 7, resamples: 10 })).toEqual(
      chosen,
    );
  });

  it('assigns the rows that it was fitted on to their own segments after a trip through JSON', () => {
    const { segmentation, labels } = chooseSegments(pointsOf(FOUR), ['x', 'y'], {
      seed: 1,
      maxSegments: 5,
      resamples: 3,
    });
    const members = assignSegments(JSON.parse(JSON.stringify(segmentation)) as typeof segmentation, FOUR);
    expect(members.map(({ segment }) => segment)).toEqual([...labels]);
    expect(members.every(({ probability }) => probability > 0.5 && probability <= 1)).toBe(true);
    expect(assignSegments(segmentation, [])).toEqual([]);
  });

  it('says what is missing for too few or constant rows', () => {
    const few = pointsOf(FOUR.slice(0, 5));
    expect(() => chooseSegments(few, ['x', 'y'], { seed: 1 })).toThrow(/at least 20 rows, got 5/);
    const constant = pointsOf(Array.from({ length: 30 }, () => [7]));
    expect(() => chooseSegments(constant, ['x'], { seed: 1 })).toThrow(/constant/);
  });
});

describe('leastCostPairs', () => {
  it('solves the textbook example, and leaves rows over where there are more', () => {
    const costs = [
      [4, 1, 3],
      [2, 0, 5],
      [3, 2, 2],
    ];
    expect(leastCostPairs(costs)).toEqual([1, 0, 2]);
    expect(leastCostPairs([[5], [1]])).toEqual([-1, 0]);
    expect(leastCostPairs([[5, 1]])).toEqual([1]);
    expect(leastCostPairs([])).toEqual([]);
  });

  it('is never dearer than any permutation', () => {
    const square = fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 }), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(square, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (costs, order) => {
        const total = (columns: readonly number[]) =>
          columns.reduce((sum, column, row) => sum + (costs[row]?.[column] ?? 0), 0);
        const found = leastCostPairs(costs);
        expect(new Set(found).size).toBe(4);
        expect(total(found)).toBeLessThanOrEqual(total(order));
      }),
    );
  });
});

describe('matchSegments', () => {
  it('keeps numbers across a renaming, and calls a segment new that shares under half of its customers', () => {
    expect(matchSegments([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])).toEqual([1, 0]);
    expect(matchSegments([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 2, 2])).toEqual([0, 1, null]);
    expect(matchSegments([-1, -1, 0, 0], [0, 0, 1, 1])).toEqual([null, 0]);
    expect(matchSegments([], [])).toEqual([]);
  });
});

describe('profileSegments and nameSegments', () => {
  const features = [
    { name: 'spend', words: 'spend' },
    { name: 'visits', words: 'visits per week' },
  ];
  it('say how many times the mean of everyone a segment has, and name it by that', () => {
    const rows = [
      [10, 2],
      [10, 2],
      [2, 2],
      [2, NaN],
    ];
    const profiles = profileSegments(rows, [0, 0, 1, 1], { features, segments: 2 });
    expect(profiles[0]?.[0]).toMatchObject({
      feature: 'spend',
      segmentMean: 10,
      populationMean: 6,
      difference: 1,
    });
    expect(profiles[0]?.[0]?.lift).toBeCloseTo(10 / 6, 12);
    expect(nameSegments(profiles, features)).toEqual(['High spend', 'Low spend']);
  });

  it('never name two segments alike', () => {
    const flat = profileSegments(
      [
        [1, 1],
        [1, 1],
      ],
      [0, 1],
      { features, segments: 2 },
    );
    expect(nameSegments(flat, features)).toEqual(['Like everyone', 'Like everyone (2)']);
  });
});

describe('findEmerging', () => {
  const { segmentation } = chooseSegments(pointsOf(FOUR), ['x', 'y'], {
    seed: 1,
    maxSegments: 5,
    resamples: 3,
  });

  it('names a new region among recent customers', () => {
    const found = findEmerging(segmentation, [...cloud(0, 0, 40), ...cloud(3, 3, 12)]);
    expect(found?.rows.every((row) => row >= 40)).toBe(true);
    expect(found?.customers).toBeGreaterThanOrEqual(10);
    expect(found?.pValue).toBeLessThan(0.01);
    expect(findEmerging(segmentation, [])).toBeNull();
  });

  it('raises no more false alarms than it says', () => {
    let alarms = 0;
    for (let i = 0; i < 200; i++) {
      const recent = [...cloud(0, 0, 15), ...cloud(6, 0, 15), ...cloud(0, 6, 15), ...cloud(6, 6, 15)];
      alarms += Number(findEmerging(segmentation, recent, { falseAlarmRate: 0.05 }) !== null);
    }
    expect(alarms).toBeLessThanOrEqual(20); // 10 expected at most; 20 is three standard errors above
  });

  it('counts by the beta-binomial distribution', () => {
    // n = 1, a = 1, b = 1: one of two orders each; n = 2, a = 1, b = 1 is uniform on 0, 1, 2
    expect(betaBinomialTail(1, { n: 1, a: 1, b: 1 })).toBeCloseTo(1 / 2, 12);
    expect(betaBinomialTail(1, { n: 2, a: 1, b: 1 })).toBeCloseTo(2 / 3, 12);
    expect(betaBinomialTail(2, { n: 2, a: 1, b: 1 })).toBeCloseTo(1 / 3, 12);
    expect(betaBinomialTail(0, { n: 2, a: 1, b: 1 })).toBe(1);
  });
});

describe('rfmScores', () => {
  it('puts five different customers into the five fifths', () => {
    const rows = [1, 2, 3, 4, 5].map((i) => ({ recencyDays: 100 - 10 * i, frequency: i, monetary: 10 * i }));
    expect(rfmScores(rows).map(({ recency, frequency, monetary }) => [recency, frequency, monetary])).toEqual(
      [1, 2, 3, 4, 5].map((i) => [i, i, i]),
    );
    expect(rfmScores(rows).map(({ name }) => name)).toEqual([
      'Hibernating',
      'Hibernating',
      'Need attention',
      'Loyal customers',
      'Champions',
    ]);
  });

  it('gives equals equal scores, takes one row, and refuses what is no purchase history', () => {
    const equal = rfmScores(
      Array.from({ length: 10 }, () => ({ recencyDays: 3, frequency: 1, monetary: 5 })),
    );
    expect(new Set(equal.map(({ frequency }) => frequency)).size).toBe(1);
    expect(rfmScores([{ recencyDays: 0, frequency: 1, monetary: 0 }])[0]?.recency).toBe(3);
    expect(rfmScores([])).toEqual([]);
    expect(() => rfmScores([{ recencyDays: -1, frequency: 1, monetary: 0 }])).toThrow(/recencyDays/);
  });
});

describe('findLookalikes', () => {
  const rows = pointsOf([...cloud(4, 4, 40), ...cloud(4, 4, 60), ...cloud(0, 0, 300)]);
  const isSeed = Array.from({ length: 400 }, (_, i) => Number(i < 40));

  it('finds those like the seed, never the seed, no more than asked for', () => {
    const { audience, auc, expansion, model } = findLookalikes(rows, ['x', 'y'], {
      isSeed,
      size: 60,
      seed: 1,
    });
    expect(audience).toHaveLength(60);
    expect(audience.every((row) => row >= 40)).toBe(true);
    expect(audience.filter((row) => row < 100).length).toBeGreaterThanOrEqual(58);
    expect(auc.value).toBeGreaterThan(0.85);
    const recalls = expansion.map(({ seedRecall }) => seedRecall);
    expect(recalls).toEqual(recalls.toSorted((a, b) => a - b));
    const scores = lookalikeScores(model, rows);
    const above = [...scores.keys()].filter((row) => row >= 40 && (scores[row] ?? 0) >= model.threshold);
    expect(above).toHaveLength(60);
  });

  it('knows no likeness where there is none', () => {
    const noise = pointsOf(cloud(0, 0, 400));
    const { auc } = findLookalikes(noise, ['x', 'y'], { isSeed, size: 10, seed: 1 });
    expect(auc.low).toBeLessThan(0.55);
  });

  it('refuses a seed that is too small and takes a size of 0 or beyond all', () => {
    expect(() => findLookalikes(rows, ['x', 'y'], { isSeed: [1], size: 5, seed: 1 })).toThrow(
      /got 1 and 399/,
    );
    const { audience, model } = findLookalikes(rows, ['x', 'y'], { isSeed, size: 0, seed: 1 });
    expect([audience, model.threshold]).toEqual([[], 1]);
    expect(findLookalikes(rows, ['x', 'y'], { isSeed, size: 9_999, seed: 1 }).audience).toHaveLength(360);
  });
});

describe('behaviour', () => {
  const customer = (visits: number, orders: number, units = orders) => ({
    'count.page_visit.total': visits,
    'count.order.total': orders,
    'order.units.total': units,
  });

  it('draws the rate of a customer with few visits further to everyone’s', () => {
    const crowd = Array.from({ length: 400 }, (_, i) => {
      const [visits, rate] = [i % 4 < 2 ? 4 : 40, i % 2 === 0 ? 0.1 : 0.5];
      return customer(
        visits,
        Array.from({ length: visits }, () => Number(random() < rate)).reduce((a, b) => a + b),
      );
    });
    const credibilities = fitBehaviour(crowd);
    const at = credibilities.findIndex(({ rate }) => rate.name === 'ordersPerVisit');
    const common = Math.log(credibilities[at]?.common ?? 0);
    expect(Math.exp(common)).toBeCloseTo(0.3, 1);
    const distance = (visits: number) =>
      common - (behaviourRow(credibilities, customer(visits, 0.1 * visits))[at] ?? 0);
    expect(distance(2)).toBeGreaterThan(0);
    expect(distance(2)).toBeLessThan(0.8 * distance(40));
  });

  it('does not know what nothing was done for, and leaves out what nobody does', () => {
    const credibilities = fitBehaviour([
      customer(5, 1, 4),
      customer(9, 0),
      customer(7, 3),
      customer(6, 2, 5),
    ]);
    const names = credibilities.map(({ rate }) => rate.name);
    expect(names).not.toContain('opensPerMail');
    expect(behaviourRow(credibilities, customer(9, 0))[names.indexOf('unitsPerOrder')]).toBeNaN();
    expect(fitBehaviour([])).toEqual([]);
  });

  it('needs three deeds', () => {
    expect([hasBehaviour(customer(2, 0)), hasBehaviour(customer(2, 1)), hasBehaviour({})]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
