import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { describe, expect, it } from 'vitest';
import { toColumnTable } from './column-table.js';
import { columnOfFeature, encodedNames, encodeTable } from './encode-table.js';

type Lookup = Extract<ColumnEncoding, { kind: 'lookup' }>;

const level: Lookup = {
  kind: 'lookup',
  column: 'product',
  feature: 'level',
  values: { a: 2, b: 3 },
  other: 1,
  times: null,
};
const effect: Lookup = {
  kind: 'lookup',
  column: 'product',
  feature: 'price effect',
  values: { a: -2 },
  other: -1,
  times: { column: 'price', transform: 'log', centres: { a: Math.log(10) }, otherCentre: 0, fill: 1 },
};
const encoding: TableEncoding = {
  columns: [level, effect],
  features: ['level', 'price effect'],
  standardised: false,
};

describe('a lookup column', () => {
  it('is the value of the category, times the centred number where there is one', () => {
    const table = toColumnTable({
      rows: 5,
      columns: [
        { name: 'product', values: ['a', 'b', 'constructor', null, 'a'] },
        { name: 'price', values: [20, Math.E, Math.E, 1, -5] },
      ],
    });
    const expected = [2, -2 * Math.log(2), 3, -1, 1, -1, 1, 0, 2, 2 * Math.log(10)];
    const encoded = encodeTable(encoding, table);
    expected.forEach((value, i) => expect(encoded[i]).toBeCloseTo(value, 6));
    expect(encodedNames(effect)).toEqual(['price effect']);
    expect([...columnOfFeature(encoding)]).toEqual([0, 1]);
  });

  it('takes "other" and the fill where the table lacks the columns', () => {
    expect([...encodeTable(encoding, { rows: 1, columns: [] })]).toEqual([1, -0]);
    const unfilled = { ...effect, times: effect.times && { ...effect.times, fill: null } };
    const open = { ...encoding, columns: [level, unfilled] };
    expect([...encodeTable(open, { rows: 1, columns: [] })]).toEqual([1, Number.NaN]);
  });
});
