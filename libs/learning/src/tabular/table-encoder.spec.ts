import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { type ColumnTable, tableOfRecords, takeRows, toColumnTable } from './column-table.js';
import { columnOfFeature, encodeTable, MISSING_CATEGORY } from './encode-table.js';
import { signedLog1p } from './signed-log1p.js';
import { fitTableEncoder } from './fit-table-encoder.js';

const ages = [20, 30, null, 50, 60, 40];
const channels = ['web', 'web', 'shop', null, 'shop', 'web'];
const leads = toColumnTable({
  rows: 6,
  columns: [
    { name: 'age', values: ages },
    { name: 'channel', values: channels },
    { name: 'country', values: ['NL', 'NL', 'NL', 'NL', 'NL', 'NL'] },
    { name: 'years', values: ages },
  ],
});

describe('fitTableEncoder and encodeTable', () => {
  it('fills, standardises and marks missing numbers for a linear model', () => {
    const { encoding } = fitTableEncoder(leads, { purpose: 'linear' });

    expect(encoding.features).toEqual([
      'age',
      'age is missing',
      'channel=web',
      'channel=shop',
      'channel=(other)',
    ]);
    const deviation = Math.sqrt(200);
    const encoded = encodeTable(encoding, leads);
    expect(encoded.length).toBe(30);
    expect([...encoded.slice(0, 5)]).toEqual([Math.fround(-20 / deviation), 0, 1, 0, 0]);
    expect([...encoded.slice(10, 15)]).toEqual([0, 1, 0, 1, 0]);
    expect([...encoded.slice(15, 20)]).toEqual([Math.fround(10 / deviation), 0, 0, 0, 1]);
  });

  it('leaves out keys that are too long to be told apart as numbers', () => {
    const keys = Array.from({ length: 60 }, (_, i) => String(10n ** 17n + BigInt(i)));
    const table = toColumnTable({ rows: 60, columns: [{ name: 'order_id', values: keys }] });
    expect(fitTableEncoder(table, { purpose: 'trees' }).warnings).toEqual([
      'column "order_id" left out: an identifier: a whole number of its own in every row',
    ]);
  });

  it('takes a few words among many numbers for missing cells, and says so; more words make it a column of words', () => {
    const visits = (words: number) =>
      toColumnTable({
        rows: 100,
        columns: [
          {
            name: 'visits',
            values: Array.from({ length: 100 }, (_, i) => (i < words ? 'Select' : `${i}.5`)),
          },
        ],
      });
    const { encoding, warnings } = fitTableEncoder(visits(5), { purpose: 'trees' });
    expect(encoding.features).toEqual(['visits']);
    expect([...encodeTable(encoding, visits(5)).slice(4, 6)]).toEqual([Number.NaN, 5.5]);
    expect(warnings).toEqual(['column "visits": 5 cells such as "Select" among numbers count as missing']);
    expect(fitTableEncoder(visits(6), { purpose: 'trees' }).encoding.columns[0]?.kind).toBe('categorical');
  });

  it('draws a cell beyond what training saw to its edge for a linear model, and lets it be for trees', () => {
    const nearlyConstant = tableOfRecords(Array.from({ length: 100 }, (_, i) => ({ forms: 1 + i * 1e-9 })));
    const linear = fitTableEncoder(nearlyConstant, { purpose: 'linear' }).encoding;
    const [none, many, lowest, highest] = encodeTable(
      linear,
      tableOfRecords([{ forms: 0 }, { forms: 50 }, { forms: 1 }, { forms: 1 + 99e-9 }]),
    );
    expect([none, many]).toEqual([lowest, highest]);
    expect(Math.abs(none ?? NaN)).toBeLessThan(2);
    const trees = fitTableEncoder(nearlyConstant, { purpose: 'trees' }).encoding;
    expect([...encodeTable(trees, tableOfRecords([{ forms: 0 }]))]).toEqual([0]);
  });

  it('keeps numbers and missing cells as they are for trees', () => {
    const { encoding } = fitTableEncoder(leads, { purpose: 'trees' });

    expect(encoding.features).toEqual(['age', 'channel=web', 'channel=shop', 'channel=(other)']);
    expect([...encodeTable(encoding, leads).slice(4, 12)]).toEqual([30, 1, 0, 0, Number.NaN, 0, 1, 0]);
  });

  it('names the constant and the duplicate column that it leaves out', () => {
    const { encoding, warnings } = fitTableEncoder(leads, { purpose: 'trees' });

    expect(encoding.columns.map(({ column }) => column)).toEqual(['age', 'channel']);
    expect(warnings).toContainEqual(expect.stringContaining('"country" left out: the same value'));
    expect(warnings).toContainEqual(expect.stringContaining('"years" left out: equal to "age"'));
  });

  it('ignores unknown columns and treats absent ones as missing in every row', () => {
    const { encoding } = fitTableEncoder(leads, { purpose: 'linear' });
    const [encoded] = [encodeTable(encoding, tableOfRecords([{ shoeSize: 43 }]))];

    expect([...encoded]).toEqual([0, 1, 0, 0, 1]);
  });

  it('sends texts it never saw to the other column', () => {
    const { encoding } = fitTableEncoder(leads, { purpose: 'trees' });

    expect([...encodeTable(encoding, tableOfRecords([{ age: 1, channel: 'fax' }]))]).toEqual([1, 0, 0, 1]);
  });

  it('gives missing texts a category of their own where they are common', () => {
    const records = Array.from({ length: 40 }, (_, i) => ({
      plan: i % 4 === 0 ? null : `plan ${i % 2}`,
      n: i,
    }));
    const { encoding } = fitTableEncoder(tableOfRecords(records), { purpose: 'trees' });

    expect(encoding.features).toContain(`plan=${MISSING_CATEGORY}`);
    const encoded = encodeTable(encoding, tableOfRecords([{ n: 3 }]));
    expect(encoded[encoding.features.indexOf(`plan=${MISSING_CATEGORY}`)]).toBe(1);
    const blank = {
      kind: 'categorical',
      name: 'plan',
      dictionary: [' '],
      codes: Int32Array.of(0, -1),
    } as const;
    const typed = encodeTable(encoding, { rows: 2, columns: [blank] });
    expect(typed.subarray(0, encoding.features.length)).toEqual(typed.subarray(encoding.features.length));
  });

  it('keeps the most frequent texts of a column with many and says how many it grouped', () => {
    const records = Array.from({ length: 1000 }, (_, i) => ({
      city: i < 600 ? `big ${i % 3}` : `small ${i % 150}`,
    }));
    const { encoding, warnings } = fitTableEncoder(tableOfRecords(records), {
      purpose: 'trees',
      maxCategories: 2,
    });

    expect(encoding.features).toEqual(['city=big 0', 'city=big 1', 'city=(other)']);
    expect(warnings).toEqual(['column "city": 151 of 153 values are grouped as other']);
  });

  it('leaves out a column of identifiers', () => {
    const records = Array.from({ length: 60 }, (_, i) => ({ email: `person-${i}`, age: i }));

    expect(fitTableEncoder(tableOfRecords(records), { purpose: 'trees' }).encoding.features).toEqual(['age']);
  });

  it.each(['id', 'Lead Number', 'customerId', 'order_no'])(
    'leaves out whole numbers of their own in every row of a column named %s',
    (name) => {
      const records = Array.from({ length: 60 }, (_, i) => ({ [name]: 7000 - 3 * i, age: i }));
      const { encoding, warnings } = fitTableEncoder(tableOfRecords(records), { purpose: 'trees' });

      expect(encoding.features).toEqual(['age']);
      expect(warnings).toEqual([
        `column "${name}" left out: an identifier: a whole number of its own in every row`,
      ]);
      const repeated = tableOfRecords([...records, ...records]);
      expect(fitTableEncoder(repeated, { purpose: 'trees' }).encoding.features).toContain(name);
    },
  );

  it('reads numbers written as text, but keeps codes with leading zeros as texts', () => {
    const records = Array.from({ length: 40 }, (_, i) => ({
      income: `${1000 + i}.50`,
      zip: i % 2 ? '0101' : '0202',
    }));
    const { encoding } = fitTableEncoder(tableOfRecords(records), { purpose: 'trees' });

    expect(encoding.features).toEqual(['income', 'zip=0101', 'zip=0202', 'zip=(other)']);
    expect(encodeTable(encoding, tableOfRecords([{ income: '7.25' }]))[0]).toBe(7.25);
    expect(encodeTable(encoding, tableOfRecords([{ income: 7.25 }]))[0]).toBe(7.25);
  });

  it('draws in long tails for a linear model only', () => {
    const records = Array.from({ length: 200 }, (_, i) => ({ balance: Math.exp(i / 20) }));
    const [linear] = fitTableEncoder(tableOfRecords(records), { purpose: 'linear' }).encoding.columns;
    const [tree] = fitTableEncoder(tableOfRecords(records), { purpose: 'trees' }).encoding.columns;

    expect(linear).toMatchObject({ transform: 'signed-log1p' });
    expect(tree).toMatchObject({ transform: 'none', mean: 0, scale: 1 });
    expect(signedLog1p(-Math.E + 1)).toBeCloseTo(-1, 12);
  });

  it('counts booleans as 1 and 0 and non-finite numbers as missing', () => {
    const table = tableOfRecords([
      { vip: true, n: Number.POSITIVE_INFINITY },
      { vip: false, n: 2 },
    ]);
    const { encoding } = fitTableEncoder(table, { purpose: 'trees' });

    expect([...encodeTable(encoding, table)]).toEqual([Number.NaN, 1, 2, 0]);
  });

  it('encodes a batch as it encodes its rows one by one', () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true }),
      fc.constantFrom('web', 'shop', 'fax', ''),
      fc.boolean(),
      fc.constant(null),
    );
    const record = fc.record({ age: cell, channel: cell }, { requiredKeys: [] });
    const { encoding } = fitTableEncoder(leads, { purpose: 'linear' });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
        const whole = encodeTable(encoding, tableOfRecords(records));
        const rows = records.flatMap((one) => [...encodeTable(encoding, tableOfRecords([one]))]);
        expect([...whole]).toEqual(rows);
      }),
    );
  });

  it('refuses a column of another length and a name that comes twice', () => {
    const { encoding } = fitTableEncoder(leads, { purpose: 'linear' });
    const age = { kind: 'numeric', name: 'age', values: Float64Array.of(1, 2) } as const;

    expect(() => encodeTable(encoding, { rows: 3, columns: [age] })).toThrow(
      '"age" holds 2 values for 3 rows',
    );
    expect(() => encodeTable(encoding, { rows: 2, columns: [age, age] })).toThrow('comes twice');
  });

  it('maps each model input column to its raw column', () => {
    const { encoding } = fitTableEncoder(leads, { purpose: 'linear' });

    expect([...columnOfFeature(encoding)]).toEqual([0, 0, 1, 1, 1]);
  });

  it('takes rows by index, in order', () => {
    const taken = takeRows(leads, [3, 0]);

    expect(taken.columns[0]).toMatchObject({ values: Float64Array.of(50, 20) });
    expect(encodeTable(fitTableEncoder(leads, { purpose: 'trees' }).encoding, taken).length).toBe(8);
  });
});

describe('leakage', () => {
  const random = seededRandom(5);
  const labels = Array.from({ length: 400 }, () => (random() < 0.3 ? 1 : 0));
  const table = (name: string, cell: (label: number, i: number) => string | number | null): ColumnTable =>
    tableOfRecords(labels.map((label, i) => ({ [name]: cell(label, i), age: Math.floor(random() * 60) })));

  it.each([
    ['a text that sales fill in afterwards', (label: number) => (label ? 'closed won' : 'ringing')],
    ['a number present only after the sale', (label: number) => (label ? 12 : null)],
    [
      'a number that is not monotone in the label',
      (label: number, i: number) => (label ? 50 + (i % 3) : i % 2 ? 10 : 90),
    ],
  ])('names and leaves out %s', (_title, cell) => {
    const { encoding, leaked, warnings } = fitTableEncoder(table('status', cell), {
      purpose: 'linear',
      labels,
    });

    expect(leaked).toEqual(['status']);
    expect(encoding.features).toEqual(['age']);
    expect(warnings).toContainEqual(expect.stringContaining('"status" left out: it gives the label away'));
  });

  it('keeps a column that is only suspicious, and names it', () => {
    const tags = table('tags', (label) => (random() < 0.06 ? 1 - label : label));
    const { leaked, warnings } = fitTableEncoder(tags, { purpose: 'linear', labels });

    expect(leaked).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/"tags" alone reaches an AUC of 0\.9\d\d: check/)]);
  });

  it('keeps a strong honest feature, a row number and a text of high cardinality', () => {
    for (const cell of [
      (label: number) => label + 1.8 * random(),
      (_: number, i: number) => i,
      (_: number, i: number) => `city ${i % 130}`,
    ]) {
      expect(fitTableEncoder(table('status', cell), { purpose: 'linear', labels }).leaked).toEqual([]);
    }
  });
});
