import { type ColumnTable, takeRows } from '@sextant/learning';

/** Examples of any task with two outcomes, as columns; every array has shape [rows]. */
export interface TableExamples {
  /** What was known at `at`. */
  table: ColumnTable;
  /** Whom a row is of (customer, account); rows of one group never stand on both sides of a split by hash. */
  groupIds: readonly string[];
  /** When the row was known, ascending; milliseconds or any other unit. Equal values everywhere: no times. */
  at: Float64Array;
  /** 1 where it came to pass. */
  labels: Uint8Array;
  /** Where the outcome is an amount: of each row, standardised; `labels` then say where it is above the median. */
  values?: Float32Array;
  /** How much a row counts in every fit, > 0; absent: 1. Metrics and calibration count each row once. */
  weights?: Float32Array;
}

export function takeExamples(examples: TableExamples, rows: ArrayLike<number>): TableExamples {
  const pick = Array.from(rows);
  const { values, weights } = examples;
  return {
    table: takeRows(examples.table, pick),
    groupIds: pick.map((row) => examples.groupIds[row] ?? ''),
    at: Float64Array.from(pick, (row) => examples.at[row] ?? 0),
    labels: Uint8Array.from(pick, (row) => examples.labels[row] ?? 0),
    ...(values && { values: Float32Array.from(pick, (row) => values[row] ?? 0) }),
    ...(weights && { weights: Float32Array.from(pick, (row) => weights[row] ?? 1) }),
  };
}

export function countPositives(labels: Uint8Array): number {
  return labels.reduce((sum, label) => sum + label, 0);
}
