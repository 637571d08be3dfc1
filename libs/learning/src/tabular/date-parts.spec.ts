import { describe, expect, it } from 'vitest';
import { tableOfRecords } from './column-table.js';
import { dateFormatOf, datePart, parseDate } from './date-parts.js';
import { encodeTable } from './encode-table.js';
import { fitTableEncoder } from './fit-table-encoder.js';

const at = (text: string): number => Date.parse(text);

describe('parseDate', () => {
  it.each([
    ['2026-01-31', 'iso', '2026-01-31T00:00:00Z'],
    ['2026/1/31 23:59', 'iso', '2026-01-31T23:59:00Z'],
    ['2026-01-31T10:00:00+02:00', 'iso', '2026-01-31T08:00:00Z'],
    ['2026-01-31T10:00:00.123Z', 'iso', '2026-01-31T10:00:00Z'],
    ['31.01.2026', 'day-first', '2026-01-31T00:00:00Z'],
    ['01/31/2026 7:05', 'month-first', '2026-01-31T07:05:00Z'],
  ] as const)('reads %s (%s)', (text, format, expected) => {
    expect(parseDate(text, format)).toBe(at(expected));
  });

  it.each(['2026-02-30', '2026-13-01', '2026-01-01 25:00', 'May', '20260131', ''])('refuses "%s"', (text) => {
    expect(parseDate(text, 'iso')).toBeNaN();
  });
});

describe('dateFormatOf', () => {
  it('takes the order of day and month from the texts, and no order where they do not say', () => {
    expect(dateFormatOf(['01/02/2026', '13/02/2026', '03/04/2026'])).toBe('day-first');
    expect(dateFormatOf(['01/02/2026', '02/13/2026', '03/04/2026'])).toBe('month-first');
    expect(dateFormatOf(['01/02/2026', '02/03/2026', '03/04/2026'])).toBeNull();
    expect(dateFormatOf(['01.02.2026', '02.03.2026', '03.04.2026'])).toBe('day-first');
  });

  it('is none for words, numbers and too few texts', () => {
    expect(dateFormatOf(['jan', 'feb', 'mar'])).toBeNull();
    expect(dateFormatOf(['1.5', '2.5', '3.5'])).toBeNull();
    expect(dateFormatOf(['2026-01-01', '2026-01-02'])).toBeNull();
    expect(dateFormatOf([])).toBeNull();
  });
});

describe('datePart', () => {
  it('tells day, month, weekday and hour, by hand', () => {
    const instant = at('1970-02-01T13:30:00Z');

    expect(['day', 'month', 'weekday', 'hour'].map((part) => datePart(part as 'day', instant))).toEqual([
      31, 2, 0, 13,
    ]);
    expect(datePart('week-cosine', instant)).toBe(1);
    expect(datePart('year-sine', instant)).toBeCloseTo(
      Math.sin((2 * Math.PI * (31 + 13.5 / 24)) / 365.2425),
      12,
    );
    expect(datePart('day', Number.NaN)).toBeNaN();
  });
});

describe('dates in a table', () => {
  const records = Array.from({ length: 60 }, (_, i) => ({
    created: i === 7 ? null : new Date(at('2026-01-01') + i * 86_400_000).toISOString().slice(0, 10),
    n: i,
  }));
  const table = tableOfRecords(records);

  it('become parts for trees, NaN where missing or no date', () => {
    const { encoding } = fitTableEncoder(table, { purpose: 'trees' });

    expect(encoding.features).toEqual(['created (day)', 'created (month)', 'created (weekday)', 'n']);
    const rows = encodeTable(encoding, tableOfRecords([{ created: '2026-03-01' }, { created: 'soon' }]));
    expect([...rows.slice(0, 3)]).toEqual([20513, 3, 0]);
    expect([...rows.slice(4, 7)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it('are standardised, drawn to the edge and marked where missing for a linear model', () => {
    const { encoding } = fitTableEncoder(table, { purpose: 'linear' });
    const width = encoding.features.length;
    const rows = encodeTable(encoding, table);
    const column = (j: number): number[] => records.map((_, i) => rows[i * width + j] ?? 0);

    expect(encoding.features).toContain('created is missing');
    expect(column(0).reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 4);
    expect(rows[7 * width]).toBe(0);
    const [later, last] = encodeTable(
      encoding,
      tableOfRecords([{ created: '2030-01-01' }, { created: '2026-03-01' }]),
    ).filter((_, i) => i % width === 0);
    expect(later).toBe(last);
  });
});
