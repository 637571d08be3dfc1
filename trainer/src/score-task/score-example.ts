import { type Cell, tableOfRecords } from '@sextant/learning';
import type { TableExamples } from '@sextant/training/table';

/** What was known of somebody at an instant and what became of it. */
export interface ScoreExample {
  customerId: string;
  /** milliseconds since 1970 */
  at: number;
  features: Readonly<Record<string, Cell>>;
  label: 0 | 1;
  /** by name; never a column */
  protectedTraits?: Readonly<Record<string, Cell>>;
}

/** Examples as columns, ascending in time. The same examples give the same columns, whatever their order. */
export function toTableExamples(examples: readonly ScoreExample[]): TableExamples {
  const ordered = examples.toSorted(
    (a, b) => a.at - b.at || (a.customerId < b.customerId ? -1 : a.customerId > b.customerId ? 1 : 0),
  );
  return {
    table: tableOfRecords(ordered.map(({ features }) => features)),
    groupIds: ordered.map(({ customerId }) => customerId),
    at: Float64Array.from(ordered, ({ at }) => at),
    labels: Uint8Array.from(ordered, ({ label }) => label),
  };
}
