import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitDriftReference, measureDrift, populationStability } from '../drift/index.js';
import { randomInteger, randomNormal, seededRandom } from '../random/seeded-random.js';
import { type ColumnTable, takeRows, tableOfRecords } from '../tabular/column-table.js';
import { planColumns, planScores, SketchPlan } from './column-plan.js';
import { TableSketch } from './table-sketch.js';

function aTable(seed: number, rows: number): ColumnTable {
  const random = seededRandom(seed);
  return tableOfRecords(
    Array.from({ length: rows }, () => ({
      spend: random() < 0.1 ? null : Math.exp(randomNormal(random)),
      visits: randomInteger(random, 6),
      channel: random() < 0.05 ? null : `c${randomInteger(random, 130)}`,
      isMember: random() < 0.5,
    })),
  );
}

const training = aTable(1, 2000);
const plan = new SketchPlan({
  features: planColumns(training),
  scores: [planScores('probability', [0.1, 0.2, 0.2, 0.9])],
});
const sketchOf = (...tables: ColumnTable[]): TableSketch => {
  const sketch = new TableSketch(plan);
  for (const table of tables) {
    sketch.addTable(table);
    sketch.addScores(
      'probability',
      Array.from({ length: table.rows }, (_, i) => (i % 11) / 10),
    );
  }
  return sketch;
};
const someTable = fc
  .record({ seed: fc.integer({ min: 2, max: 1e6 }), rows: fc.integer({ min: 1, max: 60 }) })
  .map(({ seed, rows }) => aTable(seed, rows));

describe('TableSketch', () => {
  it('merges exactly, whatever the order and however the rows were dealt out', () => {
    fc.assert(
      fc.property(someTable, someTable, someTable, (a, b, c) => {
        const together = sketchOf(a, b, c).toBytes();
        const left = sketchOf(a).merge(sketchOf(b)).merge(sketchOf(c));
        const right = sketchOf(c).merge(sketchOf(b).merge(sketchOf(a)));
        expect(left.toBytes()).toEqual(together);
        expect(right.toBytes()).toEqual(together);
      }),
      { numRuns: 50 },
    );
  });

  it('counts row by row what it counts by the table', () => {
    const table = aTable(5, 300);
    const sketch = new TableSketch(plan);
    for (let row = 0; row < table.rows; row++) {
      const { columns } = takeRows(table, [row]);
      sketch.addTable({ rows: 1, columns: row % 2 ? columns : columns.toReversed() });
    }
    const whole = new TableSketch(plan);
    whole.addTable(table);
    expect(sketch.toBytes()).toEqual(whole.toBytes());
    expect(sketch.rows).toBe(300);
  });

  it('counts the bins that measureDrift compares, so that both give the same index', () => {
    const now = aTable(9, 700);
    const numbers = measureDrift(fitDriftReference(training), now).columns.filter(
      ({ kind }) => kind === 'numeric',
    );
    const [before, after] = [sketchOf(training), sketchOf(now)];
    expect(numbers.map(({ name }) => name)).toEqual(['isMember', 'spend', 'visits']);
    for (const { name, psi } of numbers) {
      const [p, q] = [before.feature(name), after.feature(name)];
      const binsOf = (counts: typeof p) => [...(counts?.bins ?? []), counts?.missing ?? 0];
      expect(populationStability(binsOf(p), binsOf(q))).toBe(psi);
    }
  });

  it('keeps what is missing, below, above and of no planned category apart', () => {
    const sketch = new TableSketch(
      new SketchPlan({
        features: [
          { kind: 'numeric', name: 'x', edges: [0, 10] },
          { kind: 'categorical', name: 'c', categories: ['1', 'b'] },
          { kind: 'numeric', name: 'absent', edges: [] },
        ],
        scores: [],
      }),
    );
    sketch.addTable({
      rows: 5,
      columns: [
        {
          kind: 'categorical',
          name: 'x',
          dictionary: ['-1', '0', '10', '10.5', 'no'],
          codes: Int32Array.of(0, 1, 2, 3, 4),
        },
        { kind: 'numeric', name: 'c', values: Float64Array.of(1, 1, 2, Number.NaN, Infinity) },
      ],
    });
    expect(sketch.feature('x')).toEqual({ bins: Float64Array.of(2, 1, 1), missing: 1 });
    expect(sketch.feature('c')).toEqual({ bins: Float64Array.of(2, 0, 1), missing: 2 });
    expect(sketch.feature('absent')).toEqual({ bins: Float64Array.of(0), missing: 5 });
    expect(sketch.feature('other')).toBeNull();
  });

  it('bins scores between the values of the reference, so that another rounding changes nothing', () => {
    const random = seededRandom(4);
    const levels = Array.from({ length: 7 }, () => random());
    const scores = Float64Array.from({ length: 500 }, () => levels[randomInteger(random, 7)] ?? 0);
    const own = new SketchPlan({ features: [], scores: [planScores('p', scores)] });
    const countsOf = (values: ArrayLike<number>) => {
      const sketch = new TableSketch(own);
      sketch.addScores('p', values);
      return sketch.score('p')?.bins;
    };
    expect(countsOf(Float32Array.from(scores))).toEqual(countsOf(scores));
    expect(countsOf(scores.map((score) => score + 3e-7))).toEqual(countsOf(scores));
    expect(countsOf([-1, 2])?.at(0)).toBe(1);
    expect(countsOf([-1, 2])?.at(-1)).toBe(1);
  });

  it('survives the way through bytes and refuses damaged ones', () => {
    const sketch = sketchOf(aTable(3, 500));
    const bytes = sketch.toBytes();
    expect(TableSketch.fromBytes(plan, bytes).toBytes()).toEqual(bytes);
    expect(TableSketch.fromBytes(plan, bytes).rows).toBe(500);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(() => TableSketch.fromBytes(plan, changed)).toThrow(/cannot be read/);
        expect(() => TableSketch.fromBytes(plan, bytes.subarray(0, at))).toThrow(/cannot be read/);
      }),
    );
  });

  it('refuses the sketch of another plan, merged or read', () => {
    const other = new SketchPlan({ features: planColumns(aTable(2, 2000)), scores: [] });
    expect(() => sketchOf().merge(new TableSketch(other))).toThrow(/different plans/);
    expect(() => TableSketch.fromBytes(other, sketchOf().toBytes())).toThrow(/another plan/);
  });

  it('refuses a plan that counts a column twice or has edges that do not rise', () => {
    const twice = [1, 2].map(() => ({ kind: 'numeric' as const, name: 'a', edges: [] }));
    expect(() => new SketchPlan({ features: twice, scores: [] })).toThrow(/same name/);
    const flat = [{ kind: 'numeric' as const, name: 'a', edges: [1, 1] }];
    expect(() => new SketchPlan({ features: flat, scores: [] })).toThrow(/rise/);
  });
});
