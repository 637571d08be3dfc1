import { numericView, tableOfRecords } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { shuffledImportance } from './shuffled-importance.js';

describe('shuffledImportance', () => {
  it('is the mean move of the answer, worked out by hand, and 0 of what the answer does not use', () => {
    const table = tableOfRecords([0, 1, 2, 3].map((x) => ({ x, y: -x, unused: x * x })));
    const importance = shuffledImportance(table, ({ columns, rows }) => {
      const [, x, y] = columns.map(numericView);
      return Float64Array.from({ length: rows }, (_, i) => (x?.[i] ?? 0) + 10 * (y?.[i] ?? 0));
    });
    // The cells of the rows 0, 1, 2, 3 go to 2, 3, 0, 1: each moves by 2.
    expect(Object.fromEntries(importance)).toEqual({ x: 2, y: 20, unused: 0 });
  });

  it('takes a table of one row', () => {
    expect(shuffledImportance(tableOfRecords([{ x: 1 }]), () => Float64Array.of(1)).get('x')).toBe(0);
  });
});
