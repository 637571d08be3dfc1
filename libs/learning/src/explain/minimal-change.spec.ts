import { describe, expect, it } from 'vitest';
import { type Random, randomInteger, randomNormal, seededRandom } from '../random/seeded-random.js';
import { predictMargin, type Tree, type TreeEnsemble } from '../trees/tree-ensemble.js';
import {
  type ActionableColumn,
  type ChangeQuestion,
  minimalLinearChange,
  subsets,
} from './minimal-change.js';
import { minimalTreeChange } from './minimal-tree-change.js';

const range = (column: number, over: Partial<ActionableColumn> = {}): ActionableColumn => ({
  column,
  low: -3,
  high: 3,
  scale: 1,
  ...over,
});
const reach = (
  row: number[],
  threshold: number,
  actionable: ActionableColumn[],
  maxColumns?: number,
): ChangeQuestion => ({
  row,
  threshold,
  aim: 'reach',
  actionable,
  ...(maxColumns !== undefined && { maxColumns }),
});

describe('minimalLinearChange', () => {
  const model = { coefficients: Float64Array.of(1, -2, 0.5), intercept: 0 };

  it('moves one column where one is enough, the one with the least standardised distance', () => {
    const change = minimalLinearChange(
      model,
      reach([0, 0, 0], 2, [range(0), range(1), range(2, { high: 10 })]),
    );
    expect(change?.changes).toEqual([{ column: 1, from: 0, to: expect.closeTo(-1, 5) }]);
    expect(change?.distance).toBeCloseTo(1, 5);
    const cheap = minimalLinearChange(model, reach([0, 0, 0], 2, [range(0, { scale: 5 }), range(1)]));
    expect(cheap?.changes).toEqual([{ column: 0, from: 0, to: expect.closeTo(2, 5) }]);
  });

  it('moves two in proportion to weight and scale where one is not enough, and stops at a range', () => {
    const both = minimalLinearChange(
      model,
      reach([0, 0, 0], 5, [range(0, { high: 4 }), range(1, { low: -2 })]),
    );
    // Shares in proportion to (1, 2): (1, −2) reaches 5.
    expect(both?.changes).toEqual([
      { column: 0, from: 0, to: expect.closeTo(1, 4) },
      { column: 1, from: 0, to: expect.closeTo(-2, 4) },
    ]);
    const capped = minimalLinearChange(
      model,
      reach([0, 0, 0], 5, [range(0, { high: 4 }), range(1, { low: -1 })]),
    );
    expect(capped?.changes).toEqual([
      { column: 0, from: 0, to: expect.closeTo(3, 4) },
      { column: 1, from: 0, to: -1 },
    ]);
  });

  it('equals a search over a fine grid on random models', () => {
    const random = seededRandom(1);
    for (let trial = 0; trial < 30; trial++) {
      const linear = {
        coefficients: Float64Array.from({ length: 3 }, () => randomNormal(random)),
        intercept: 0,
      };
      const row = Array.from({ length: 3 }, () => randomNormal(random));
      const actionable = [0, 1, 2].map((column) =>
        range(column, { scale: 0.5 + random(), low: -2, high: 2 }),
      );
      const threshold = 1 + 2 * random();
      const change = minimalLinearChange(linear, reach(row, threshold, actionable, 3));
      const found = gridSearch(linear, row, threshold, actionable);
      expect(change?.changes.length).toBe(found?.size);
      if (change === null || found === null) continue;
      expect(change.distance).toBeLessThanOrEqual(found.distance + 1e-5);
      const margin = linear.coefficients.reduce((sum, w, j) => {
        const moved = change.changes.find(({ column }) => column === j)?.to ?? row[j] ?? 0;
        return sum + w * moved;
      }, 0);
      expect(margin).toBeGreaterThanOrEqual(threshold);
      expect(margin).toBeCloseTo(change.margin, 9);
    }
  });

  it('leaves a band downwards, keeps to steps, and needs no change where the row is there', () => {
    const question = { ...reach([2.2, 0, 0], 1, [range(0, { step: 1 })]), aim: 'leave' as const };
    expect(minimalLinearChange(model, question)).toMatchObject({
      changes: [{ column: 0, from: 2.2, to: 0 }],
      margin: 0,
    });
    expect(minimalLinearChange(model, { ...question, threshold: 2.3 })).toEqual({
      changes: [],
      distance: 0,
      margin: 2.2,
    });
  });

  it('finds nothing beyond the ranges, for missing cells, without weights or with too few columns', () => {
    expect(minimalLinearChange(model, reach([0, 0, 0], 100, [range(0), range(1), range(2)], 3))).toBeNull();
    expect(minimalLinearChange(model, reach([0, 0, 0], 8, [range(0), range(1)], 1))).toBeNull();
    expect(minimalLinearChange(model, reach([0, 0, 0], 1, []))).toBeNull();
    const flat = { coefficients: Float64Array.of(0, 0, 1), intercept: 0 };
    expect(minimalLinearChange(flat, reach([0, 0, 0], 1, [range(0), range(1)]))).toBeNull();
  });

  it('refuses a scale, a step and a number of columns that make no sense', () => {
    for (const bad of [{ scale: 0 }, { scale: Number.NaN }, { step: -1 }])
      expect(() => minimalLinearChange(model, reach([0, 0, 0], 1, [range(0, bad)]))).toThrow(RangeError);
    expect(() => minimalLinearChange(model, reach([0, 0, 0], 1, [range(0)], 4))).toThrow('maxColumns');
  });
});

/** Fewest columns, then least distance, over 401 (one column) or 81 (several) values a column. */
function gridSearch(
  model: { coefficients: Float64Array },
  row: number[],
  threshold: number,
  actionable: ActionableColumn[],
): { size: number; distance: number } | null {
  for (let size = 0; size <= 3; size++) {
    let best = Infinity;
    for (const chosen of subsets(actionable, size)) {
      const values = size > 1 ? 80 : 400;
      for (let cell = 0; cell < (values + 1) ** size; cell++) {
        const moved = [...row];
        let squares = 0;
        chosen.forEach(({ column, low, high, scale }, i) => {
          const place = Math.floor(cell / (values + 1) ** i) % (values + 1);
          moved[column] = low + ((high - low) * place) / values;
          squares += (((moved[column] ?? 0) - (row[column] ?? 0)) / scale) ** 2;
        });
        const margin = model.coefficients.reduce((sum, w, j) => sum + w * (moved[j] ?? 0), 0);
        if (margin >= threshold) best = Math.min(best, Math.sqrt(squares));
      }
    }
    if (best < Infinity) return { size, distance: best };
  }
  return null;
}

function aTree(random: Random, columns: number): Tree {
  const [nodes, inner] = [31, 15];
  return {
    feature: Int32Array.from({ length: nodes }, (_, i) => (i < inner ? randomInteger(random, columns) : -1)),
    threshold: Float64Array.from({ length: nodes }, () => Math.round(20 * randomNormal(random)) / 10),
    left: Int32Array.from({ length: nodes }, (_, i) => 2 * i + 1),
    right: Int32Array.from({ length: nodes }, (_, i) => 2 * i + 2),
    defaultLeft: new Uint8Array(nodes).fill(1),
    value: Float64Array.from({ length: nodes }, () => randomNormal(random)),
    cover: new Float64Array(nodes).fill(1),
  };
}

const anEnsemble = (seed: number): TreeEnsemble => {
  const random = seededRandom(seed);
  return { baseScore: 0.1, trees: Array.from({ length: 4 }, () => aTree(random, 4)) };
};

/** All values that could matter: the present one, each threshold and just above it. */
function bruteForce(
  ensemble: TreeEnsemble,
  { row, threshold, actionable }: ChangeQuestion,
): { size: number; distance: number } | null {
  const valuesOf = ({ column, low, high }: ActionableColumn): number[] => {
    const cuts = ensemble.trees.flatMap((tree) =>
      [...tree.threshold].filter((_, node) => tree.feature[node] === column),
    );
    return [row[column] ?? 0, low, high, ...cuts, ...cuts.map((cut) => cut + 1e-6)].filter(
      (v) => v >= low && v <= high,
    );
  };
  for (let size = 0; size <= 3; size++) {
    let best = Infinity;
    for (const chosen of subsets(actionable, size)) {
      const options = chosen.map(valuesOf);
      for (const combination of options.reduce<number[][]>(
        (all, values) => all.flatMap((one) => values.map((v) => [...one, v])),
        [[]],
      )) {
        const moved = Array.from(row);
        combination.forEach((value, i) => (moved[chosen[i]?.column ?? 0] = value));
        if (predictMargin(ensemble, moved) < threshold) continue;
        const squares = chosen.reduce(
          (sum, { column, scale }, i) => sum + (((combination[i] ?? 0) - (row[column] ?? 0)) / scale) ** 2,
          0,
        );
        best = Math.min(best, Math.sqrt(squares));
      }
    }
    if (best < Infinity) return { size, distance: best };
  }
  return null;
}

describe('minimalTreeChange', () => {
  it('equals the search of every combination on random ensembles', () => {
    const sizes = new Set<number | undefined>();
    for (let seed = 1; seed <= 25; seed++) {
      const ensemble = anEnsemble(seed);
      const random = seededRandom(100 + seed);
      const row = Array.from({ length: 4 }, () => Math.fround(randomNormal(random)));
      const actionable = [0, 1, 3].map((column) =>
        range(column, { scale: 0.5 + random(), low: -2.05, high: 2.05 }),
      );
      const question = reach(row, predictMargin(ensemble, row) + 1 + 3 * random(), actionable, 3);
      const [change, found] = [minimalTreeChange(ensemble, question), bruteForce(ensemble, question)];
      expect(change?.changes.length).toBe(found?.size);
      sizes.add(found?.size);
      if (change === null || found === null) continue;
      expect(change.distance).toBeCloseTo(found.distance, 4);
      const moved = [...row];
      for (const { column, to } of change.changes) moved[column] = Math.fround(to);
      expect(predictMargin(ensemble, moved)).toBeGreaterThanOrEqual(question.threshold);
    }
    expect(sizes).toEqual(new Set([1, 2, 3, undefined]));
  }, 30_000);

  const stump: Tree = {
    feature: Int32Array.of(0, -1, -1),
    threshold: Float64Array.of(0.1, 0, 0),
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    defaultLeft: Uint8Array.of(1, 0, 0),
    value: Float64Array.of(0, -1, 1),
    cover: Float64Array.of(2, 1, 1),
  };
  const ensemble = { baseScore: 0, trees: [stump] };

  it('stops just beyond a threshold, at a number that float32 holds, or at the next step', () => {
    const change = minimalTreeChange(ensemble, reach([0], 0.5, [range(0)]));
    const to = change?.changes[0]?.to ?? 0;
    expect(to).toBe(Math.fround(to));
    expect(to).toBeGreaterThan(0.1);
    expect(to).toBeCloseTo(0.1, 7);
    expect(minimalTreeChange(ensemble, reach([0], 0.5, [range(0, { step: 0.25 })]))?.changes[0]?.to).toBe(
      0.25,
    );
    const down = minimalTreeChange(ensemble, { ...reach([2], 0, [range(0)]), aim: 'leave' });
    expect(down?.changes[0]?.to).toBeLessThanOrEqual(0.1);
    expect(down?.changes[0]?.to).toBeCloseTo(0.1, 7);
  });

  it('finds nothing out of range or for a missing cell, and no change where the row is there', () => {
    expect(minimalTreeChange(ensemble, reach([0], 0.5, [range(0, { high: 0.05 })]))).toBeNull();
    expect(minimalTreeChange(ensemble, reach([0], 0.5, [range(0, { step: 4 })]))).toBeNull();
    expect(minimalTreeChange(ensemble, reach([Number.NaN], 0.5, [range(0)]))).toBeNull();
    expect(minimalTreeChange(ensemble, reach([1], 0.5, [range(0)]))).toEqual({
      changes: [],
      distance: 0,
      margin: 1,
    });
    expect(minimalTreeChange({ baseScore: 0, trees: [] }, reach([1], 0.5, [range(0)]))).toBeNull();
  });
});
