import { crc32 } from '@sextant/learning';
import type { TableExamples } from './table-examples.js';

/** Row numbers of the parts of one split. */
export interface ExampleSplit {
  /**
   * 'later': tuning rows come after fitting rows, and validation rows after both.
   * 'hash': no times to go by; groups are dealt out by a seeded hash.
   */
  kind: 'later' | 'hash';
  fit: number[];
  tune: number[];
  /** What is fitted before validation: `fit` and `tune`, less the rows whose outcome reaches into the validation period. */
  beforeValidation: number[];
  validate: number[];
  /** What the reader of the card should know about the split. */
  notes: string[];
}

const SHARES = { fit: 0.6, validate: 0.2 };
/** Fewer instants than this are no history. */
const MIN_INSTANTS = 10;
const MIN_ROWS_OF_A_CLASS = 5;

/**
 * About 60 % fitting, 20 % tuning and 20 % validation rows: by time where the examples have at least 10 distinct instants
 * and each part has both classes, by hash otherwise. All examples of one group fall into one part of a hash split.
 *
 * @param data              ascending in time
 * @param options.horizon how long after `at` the outcome may come, in the unit of `at`
 */
export function splitExamples(data: TableExamples, options: { seed: number; horizon: number }): ExampleSplit {
  if (new Set(data.at).size < MIN_INSTANTS) {
    return hashSplit(
      data,
      options.seed,
      'the examples carry no times, so validation rows are chosen by hash and not later in time',
    );
  }
  return (
    laterSplit(data, options.horizon) ??
    hashSplit(
      data,
      options.seed,
      'a split by time would leave a part without one of the outcomes, so validation rows are chosen by hash',
    )
  );
}

/** Folds by group, about equal in rows of each class; shape [rows], values 0..folds − 1. */
export function foldsByGroup(data: TableExamples, folds: number, seed: number): Uint8Array {
  const rank = rankByGroup(data, seed);
  return Uint8Array.from(data.groupIds, (id) => (rank.get(id) ?? 0) % folds);
}

function laterSplit(data: TableExamples, horizon: number): ExampleSplit | null {
  const n = data.at.length;
  const tuneFrom = nextInstant(data.at, Math.floor(n * SHARES.fit));
  const validateFrom = nextInstant(data.at, Math.floor(n * (1 - SHARES.validate)));
  const [early, middle] = [range(0, tuneFrom), range(tuneFrom, validateFrom)];
  const validate = range(validateFrom, n);
  if (![early, middle, validate].every((rows) => hasBothClasses(data.labels, rows))) return null;
  const fit = known(data, early, { from: data.at[tuneFrom] ?? 0, horizon });
  const beforeValidation = known(data, [...early, ...middle], {
    from: data.at[validateFrom] ?? 0,
    horizon,
  });
  const notes = [fit, beforeValidation].some((part) => part.reachesAhead)
    ? [
        'outcomes of earlier examples may fall into the validation period: the history is short against the horizon',
      ]
    : [];
  return {
    kind: 'later',
    fit: fit.rows,
    tune: middle,
    beforeValidation: beforeValidation.rows,
    validate,
    notes,
  };
}

/** Rows whose outcome was known when the next part began; all rows where that would leave less than half. */
function known(
  data: TableExamples,
  rows: number[],
  next: { from: number; horizon: number },
): { rows: number[]; reachesAhead: boolean } {
  const settled = rows.filter((row) => (data.at[row] ?? 0) + next.horizon <= next.from);
  const isEnough = settled.length >= rows.length / 2 && hasBothClasses(data.labels, settled);
  return isEnough ? { rows: settled, reachesAhead: false } : { rows, reachesAhead: true };
}

function hashSplit(data: TableExamples, seed: number, note: string): ExampleSplit {
  const tenths = foldsByGroup(data, 10, seed);
  const rowsWhere = (isIn: (tenth: number) => boolean): number[] =>
    range(0, tenths.length).filter((row) => isIn(tenths[row] ?? 0));
  return {
    kind: 'hash',
    fit: rowsWhere((tenth) => tenth < 6),
    tune: rowsWhere((tenth) => tenth === 6 || tenth === 7),
    beforeValidation: rowsWhere((tenth) => tenth < 8),
    validate: rowsWhere((tenth) => tenth >= 8),
    notes: [note],
  };
}

/** Groups in hash order, those with a positive example counted apart, so that dealing them out in turn keeps the rate. */
function rankByGroup(data: TableExamples, seed: number): Map<string, number> {
  const isPositive = new Map<string, boolean>();
  for (const [row, id] of data.groupIds.entries()) {
    isPositive.set(id, (isPositive.get(id) ?? false) || data.labels[row] === 1);
  }
  const inHashOrder = [...isPositive.keys()]
    .map((id) => ({ id, hash: crc32(`${seed}:${id}`) }))
    .sort((a, b) => a.hash - b.hash || (a.id < b.id ? -1 : 1));
  const next = { positive: 0, negative: 0 };
  return new Map(inHashOrder.map(({ id }) => [id, isPositive.get(id) ? next.positive++ : next.negative++]));
}

/** The first row from `row` on that begins a new instant. */
function nextInstant(at: Float64Array, row: number): number {
  let next = row;
  while (next < at.length && at[next] === at[next - 1]) next++;
  return next;
}

function hasBothClasses(labels: Uint8Array, rows: readonly number[]): boolean {
  const positives = rows.reduce((sum, row) => sum + (labels[row] ?? 0), 0);
  return Math.min(positives, rows.length - positives) >= MIN_ROWS_OF_A_CLASS;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
