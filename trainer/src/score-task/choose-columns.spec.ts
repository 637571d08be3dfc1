import { randomNormal, seededRandom, sigmoid } from '@sextant/learning';
import type { TableExamples } from '@sextant/training/table';
import { describe, expect, it } from 'vitest';
import { chooseColumns, type ColumnSet, withColumns } from './choose-columns.js';

const SETS: ColumnSet[] = [
  { name: 'signal', holds: (column) => column === 'x' },
  { name: 'some', holds: (column) => column === 'x' || column === 'y' },
  { name: 'all', holds: () => true },
];

/** Outcomes of log-odds x + yWeight · y; forty more columns are noise. */
function examples(rows: number, yWeight = 0): TableExamples {
  const random = seededRandom(7);
  const draw = () => Float64Array.from({ length: rows }, () => randomNormal(random));
  const [x, y] = [draw(), draw()];
  const noise = Array.from({ length: 40 }, (_, i) => ({ name: `n${i}`, values: draw() }));
  const columns = [{ name: 'x', values: x }, { name: 'y', values: y }, ...noise];
  return {
    table: { rows, columns: columns.map((column) => ({ kind: 'numeric' as const, ...column })) },
    groupIds: Array.from({ length: rows }, (_, i) => `g${i}`),
    at: Float64Array.from({ length: rows }, (_, i) => i),
    labels: Uint8Array.from(x, (value, i) => Number(random() < sigmoid(value + yWeight * (y[i] ?? 0)))),
  };
}

describe('chooseColumns', () => {
  it('keeps the smallest set that is as good as any, and takes more where they tell more', () => {
    expect(chooseColumns(examples(600), SETS, 1)?.name).toBe('signal');
    expect(chooseColumns(examples(600, 2), SETS, 1)?.name).toBe('some');
  });

  it('chooses the same from the same examples and seed', () => {
    expect(chooseColumns(examples(300, 0.5), SETS, 3)).toBe(chooseColumns(examples(300, 0.5), SETS, 3));
  });

  it('cannot tell from a handful, and passes over sets without a column', () => {
    expect(chooseColumns(examples(99), SETS, 1)?.name).toBe('all');
    const without: ColumnSet = { name: 'nothing', holds: () => false };
    expect(chooseColumns(examples(300), [without, ...SETS], 1)?.name).toBe('signal');
    expect(chooseColumns(examples(300), [without], 1)).toBe(without);
    expect(chooseColumns(examples(300), [], 1)).toBeNull();
  });
});

describe('withColumns', () => {
  it('leaves everything but the columns as it is', () => {
    const all = examples(10);
    const few = withColumns(all, SETS[1] ?? { name: '', holds: () => false });
    expect(few.table.columns.map(({ name }) => name)).toEqual(['x', 'y']);
    expect(few.table.rows).toBe(10);
    expect(few.labels).toBe(all.labels);
  });
});
