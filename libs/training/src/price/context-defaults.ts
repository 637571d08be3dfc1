import type { PriceSpec } from '@sextant/artefacts';
import type { DemandRow } from '@sextant/learning';

/** The typical value of each context column: the median where all are numbers, else the most frequent text. */
export function contextDefaults(rows: readonly DemandRow[]): PriceSpec['contextDefaults'] {
  const values = new Map<string, (number | string)[]>();
  for (const { context } of rows) {
    for (const [name, cell] of Object.entries(context)) {
      const value = typeof cell === 'boolean' ? Number(cell) : cell;
      if (value === null || value === undefined || value === '') continue;
      const column = values.get(name);
      if (column) column.push(value);
      else values.set(name, [value]);
    }
  }
  return Object.fromEntries([...values].map(([name, column]) => [name, typical(column)]));
}

function typical(column: readonly (number | string)[]): number | string {
  const numbers = column.filter((value) => typeof value === 'number');
  if (numbers.length === column.length) {
    return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? 0;
  }
  const counts = new Map<string, number>();
  for (const value of column) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const [[mode] = ['']] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return mode;
}
