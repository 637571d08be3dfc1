import { toColumnTable } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import type { TableExamples } from './table-examples.js';
import { rowWarnings } from './table-warnings.js';

function examples(columns: Record<string, (row: number) => string>): TableExamples {
  const rows = Array.from({ length: 200 }, (_, row) => row);
  return {
    table: toColumnTable({
      rows: rows.length,
      columns: Object.entries(columns).map(([name, cell]) => ({ name, values: rows.map(cell) })),
    }),
    groupIds: rows.map(String),
    at: new Float64Array(rows.length),
    labels: Uint8Array.from(rows, (row) => row % 2),
  };
}

const duplicates = (of: TableExamples): string[] =>
  rowWarnings(
    of,
    Array.from({ length: 150 }, (_, row) => row),
    [150, 199],
  ).filter((line) => line.startsWith('duplicate'));

describe('rowWarnings', () => {
  it('sets numbers and texts of each row aside when it looks for equal rows', () => {
    expect(
      duplicates(examples({ no: String, mail: (row) => `u${row}@example.org`, city: () => 'A' })),
    ).toEqual([
      'duplicate rows: 149 of 150 training rows equal another one in all but "no", "mail"',
      'duplicate rows: 2 of 2 test rows equal a training row in all but "no", "mail"',
    ]);
  });

  it('takes amounts that differ in every row for what tells rows apart, written as texts or not', () => {
    expect(duplicates(examples({ amount: (row) => String(row + 0.5), city: () => 'A' }))).toEqual([]);
  });
});
