import { describe, expect, it } from 'vitest';
import { type Random, randomInteger, randomNormal, seededRandom } from '../random/seeded-random.js';
import {
  type ColumnTable,
  type TableColumn,
  tableOfRecords,
  toColumnTable,
} from '../tabular/column-table.js';
import { chiSquareOf, jensenShannonDistance, kolmogorovDistance, populationStability } from './divergence.js';
import { fitDriftReference, measureDrift } from './measure-drift.js';
import { allInSecond, chiSquareTail, holm, kolmogorovTail } from './tail-probabilities.js';

type Draw = (random: Random) => number;
const missingAt =
  (rate: number, draw: Draw): Draw =>
  (random) =>
    random() < rate ? Number.NaN : draw(random);
const normal: Draw = (random) => randomNormal(random);

const numeric = (name: string, rows: number, draw: Draw, random: Random): TableColumn => ({
  kind: 'numeric',
  name,
  values: Float64Array.from({ length: rows }, () => draw(random)),
});

const categorical = (name: string, rows: number, draw: Draw, random: Random): TableColumn => ({
  kind: 'categorical',
  name,
  dictionary: Array.from({ length: 60 }, (_, i) => `c${i}`),
  codes: Int32Array.from({ length: rows }, () => draw(random)),
});

/** Ten kinds of columns, four of each without drift and one of each with. */
const KINDS: { make: typeof numeric; calm: Draw; shifted: Draw }[] = [
  { make: numeric, calm: normal, shifted: (random) => randomNormal(random) + 0.15 },
  { make: numeric, calm: normal, shifted: (random) => randomNormal(random) * 1.15 },
  { make: numeric, calm: missingAt(0.02, normal), shifted: missingAt(0.035, normal) },
  {
    make: numeric,
    calm: (random) => Math.exp(randomNormal(random)),
    shifted: (random) => Math.exp(randomNormal(random)) + (random() < 0.005 ? 60 : 0),
  },
  {
    make: numeric,
    calm: (random) => randomInteger(random, 5),
    shifted: (random) => Math.max(0, randomInteger(random, 5) - (random() < 0.15 ? 1 : 0)),
  },
  {
    make: numeric,
    calm: (random) => randomNormal(random) + (random() < 0.5 ? 2 : -2),
    shifted: (random) => randomNormal(random) + (random() < 0.55 ? 2 : -2),
  },
  {
    make: numeric,
    calm: (random) => (random() < 0.9 ? 0 : random() * 100),
    shifted: (random) => (random() < 0.88 ? 0 : random() * 100),
  },
  {
    make: categorical,
    calm: (random) => randomInteger(random, 4),
    shifted: (random) => (random() < 0.005 ? 9 : randomInteger(random, 4)),
  },
  {
    make: categorical,
    calm: (random) => randomInteger(random, 50),
    shifted: (random) => (random() < 0.05 ? 3 : randomInteger(random, 50)),
  },
  {
    make: categorical,
    calm: (random) => (random() < 0.01 ? -1 : randomInteger(random, 3)),
    shifted: (random) => (random() < 0.02 ? -1 : randomInteger(random, 3)),
  },
];

/** 50 columns; `shift` moves the ten whose names begin with "shifted". */
function aTable(seed: number, rows: number, shift: boolean): ColumnTable {
  const random = seededRandom(seed);
  const columns = KINDS.flatMap(({ make, calm, shifted }, kind) => [
    make(`shifted ${kind}`, rows, shift ? shifted : calm, random),
    ...[0, 1, 2, 3].map((i) => make(`calm ${kind}.${i}`, rows, calm, random)),
  ]);
  return { rows, columns };
}

describe('measureDrift', () => {
  it('finds ten planted shifts and none among the other 40 columns, over seeds', () => {
    for (const seed of [1, 2, 3]) {
      const reference = fitDriftReference(aTable(seed, 20_000, false));
      const { columns } = measureDrift(reference, aTable(100 + seed, 20_000, true));
      const found = columns.filter(({ drifted }) => drifted).map(({ name }) => name);
      expect(found).toEqual(KINDS.map((_, kind) => `shifted ${kind}`));
    }
  });

  it('alerts on no column of tables that do not drift, also of unequal sizes and few rows', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const sizes = [3000, 150, 20] as const;
      const reference = fitDriftReference(aTable(seed, sizes[seed % 3] ?? 20, false));
      const { columns } = measureDrift(
        reference,
        aTable(50 + seed, sizes[(seed * 7 + (seed >> 2)) % 3] ?? 20, false),
      );
      expect(columns.filter(({ drifted }) => drifted).map(({ name }) => name)).toEqual([]);
    }
  });

  it('says what it found: new category, missing values, beyond the range, and how much', () => {
    const row = (i: number) => ({ channel: i % 2 ? 'web' : 'shop', spend: i % 100, age: i % 70 });
    const before = tableOfRecords(Array.from({ length: 2000 }, (_, i) => row(i)));
    const now = tableOfRecords(
      Array.from({ length: 2000 }, (_, i) => ({
        channel: i < 40 ? 'app' : row(i).channel,
        spend: i < 25 ? 1e6 : row(i).spend,
        age: i < 500 ? null : row(i).age,
      })),
    );
    const byName = new Map(measureDrift(fitDriftReference(before), now).columns.map((c) => [c.name, c]));
    expect(byName.get('channel')).toMatchObject({
      kind: 'categorical',
      newCategories: [{ category: 'app', rows: 40 }],
      size: 'slight',
    });
    expect(byName.get('channel')?.found).toContain('new category');
    expect(byName.get('spend')?.found).toContain('above range');
    expect(byName.get('age')).toMatchObject({ missingRate: { reference: 0, current: 0.25 }, size: 'severe' });
    expect(byName.get('age')?.found).toContain('missing');
  });

  it('reads columns as the reference has them: numbers in text, texts where numbers were, none where all is missing', () => {
    const before = toColumnTable({
      rows: 3,
      columns: [
        { name: 'a', values: ['1', '2.5', ''] },
        { name: 'b', values: [null, null, null] },
      ],
    });
    const now = toColumnTable({
      rows: 3,
      columns: [
        { name: 'a', values: [1, 'x', 2.5] },
        { name: 'b', values: [1, 2, 3] },
      ],
    });
    const { columns } = measureDrift(fitDriftReference(before), now);
    expect(columns[0]).toMatchObject({ kind: 'numeric', missingRate: { reference: 1 / 3, current: 1 / 3 } });
    expect(columns[1]).toMatchObject({ missingRate: { reference: 1, current: 0 }, drifted: false });
  });

  it('names columns that went and came, and takes one row, one value and infinite cells', () => {
    const one = tableOfRecords([{ a: 1, b: 'x' }]);
    const other = tableOfRecords([{ a: 1, c: 'x' }]);
    expect(measureDrift(fitDriftReference(one), other)).toMatchObject({
      gone: ['b'],
      added: ['c'],
      columns: [{ name: 'a', drifted: false, psi: 0 }],
    });
    const wide = (x: number): ColumnTable => ({
      rows: 100,
      columns: [{ kind: 'numeric', name: 'a', values: new Float64Array(100).fill(x) }],
    });
    expect(measureDrift(fitDriftReference(wide(0)), wide(0)).columns[0]?.drifted).toBe(false);
    for (const x of [1e-300, -1e-300, Infinity, -Infinity])
      expect(measureDrift(fitDriftReference(wide(0)), wide(x)).columns[0]?.drifted).toBe(true);
  });

  it('refuses a window without rows', () => {
    const empty: ColumnTable = { rows: 0, columns: [] };
    expect(() => fitDriftReference(empty)).toThrow(expect.objectContaining({ code: 'DATA_INSUFFICIENT' }));
    const reference = fitDriftReference(tableOfRecords([{ a: 1 }]));
    expect(() => measureDrift(reference, empty)).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT' }),
    );
  });
});

describe('distances of histograms', () => {
  it('are worked out by hand', () => {
    expect(kolmogorovDistance([5, 5, 0], [2, 4, 4])).toBeCloseTo(0.4, 12);
    expect(jensenShannonDistance([1, 0], [0, 1])).toBe(1);
    expect(jensenShannonDistance([3, 1], [6, 2])).toBe(0);
    // p = (10.5, 10.5) / 21, q = (15.5, 5.5) / 21.
    const expected = (5 / 21) * Math.log(15.5 / 10.5) - (5 / 21) * Math.log(5.5 / 10.5);
    expect(populationStability([10, 10], [15, 5])).toBeCloseTo(expected, 12);
    expect(chiSquareOf([30, 70], [50, 50]).statistic).toBeCloseTo(2 * (100 / 40 + 100 / 60), 12);
  });

  it('joins sparse bins, and has nothing to compare where all are', () => {
    expect(chiSquareOf([500, 1, 2, 500], [500, 3, 1, 500]).degrees).toBe(1);
    expect(chiSquareOf([1, 2], [2, 1])).toEqual({ statistic: 0, degrees: 0 });
    expect(populationStability([0, 0], [1, 2])).toBe(0);
  });
});

describe('probabilities of chance', () => {
  it('chiSquareTail gives published quantiles and exact values', () => {
    expect(chiSquareTail(3.841458820694124, 1)).toBeCloseTo(0.05, 12);
    expect(chiSquareTail(23.209251158954356, 10)).toBeCloseTo(0.01, 12);
    expect(chiSquareTail(200, 2) / Math.exp(-100)).toBeCloseTo(1, 10);
    expect([chiSquareTail(0, 3), chiSquareTail(5, 0), chiSquareTail(Infinity, 3)]).toEqual([1, 1, 0]);
  });

  it('kolmogorovTail gives the published critical value 1.36 at 5 % for large samples', () => {
    const n = 1e8;
    expect(kolmogorovTail(1.3581015 / Math.sqrt(n / 2), n, n)).toBeCloseTo(0.05, 4);
    expect(kolmogorovTail(0, 10, 10)).toBe(1);
    expect(kolmogorovTail(1, 1e6, 1e6)).toBe(0);
  });

  it('allInSecond is worked out by hand', () => {
    expect(allInSecond(2, 2, 2)).toBeCloseTo((2 / 4) * (1 / 3), 15);
    expect([allInSecond(0, 5, 5), allInSecond(6, 5, 5)]).toEqual([1, 0]);
  });

  it('holm is worked out by hand and keeps the order', () => {
    expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(holm([])).toEqual([]);
  });
});
