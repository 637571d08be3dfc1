import { DomainError } from '@sextant/domain';
import type { ColumnTable } from '../tabular/column-table.js';
import { type Binning, type ColumnCounts, countColumn, fitBinning } from './binning.js';
import { chiSquareOf, jensenShannonDistance, kolmogorovDistance, populationStability } from './divergence.js';
import { allInSecond, chiSquareTail, holm, kolmogorovTail } from './tail-probabilities.js';

/** A reference window: how its columns are binned, and its rows by bin. */
export interface DriftReference {
  rows: number;
  columns: { name: string; binning: Binning; counts: ColumnCounts }[];
}

export type DriftTest =
  | 'distribution'
  | 'tails'
  | 'cumulative'
  | 'categories'
  | 'new category'
  | 'missing'
  | 'below range'
  | 'above range';

export interface ColumnDrift {
  name: string;
  kind: 'numeric' | 'categorical';
  /** Population stability index, missing rows as a bin of their own. */
  psi: number;
  /** By that index: below 0.1, up to 0.25, above. */
  size: 'slight' | 'moderate' | 'severe';
  /** Kolmogorov–Smirnov distance at the bins' ends; null for categories. */
  ksDistance: number | null;
  jensenShannon: number;
  missingRate: { reference: number; current: number };
  /** Most frequent first, at most 20. */
  newCategories: { category: string; rows: number }[];
  tests: { test: DriftTest; pValue: number }[];
  /** Of the column among all columns and tests: the chance to see as much anywhere in a table that does not drift. */
  adjustedP: number;
  drifted: boolean;
  /** Tests that are significant by themselves among all of the table. */
  found: DriftTest[];
}

export interface DriftReport {
  rows: { reference: number; current: number };
  /** In the order of the reference. */
  columns: ColumnDrift[];
  /** Columns of the reference that the current window lacks, and those that only it has. */
  gone: string[];
  added: string[];
}

/** Chance of any false alarm in a whole table. */
export const DRIFT_LEVEL = 0.001;
const LISTED_CATEGORIES = 20;
/** More categories than this, the rarest, share one bin. */
const MAX_CATEGORIES = 100;
/** A little more than a hundredth: shares of counts are rounded. */
const TAIL_SHARE = 0.0101;
const NO_BINS = new Float64Array(0);

/** @throws DomainError DATA_INSUFFICIENT for a table without rows */
export function fitDriftReference(table: ColumnTable): DriftReference {
  assertRows(table, 'reference');
  const columns = table.columns.map((column) => {
    const binning = fitBinning(column);
    return { name: column.name, binning, counts: countColumn(binning, column) };
  });
  return { rows: table.rows, columns };
}

/**
 * Which columns of a table are distributed otherwise than in a reference window. Numbers: chi-squared over bins and over those of the tails, Kolmogorov–Smirnov, rows
 * beyond the reference's range. Categories: chi-squared, categories never seen. Both: the rate of missing values. A column drifts where
 * the least of its p-values, times its tests, is below 0.001 after Holm's adjustment over the columns, so that the chance of any
 * false alarm in a table that does not drift is at most 0.001 however wide it is. How large the drift is, `psi` says.
 *
 * Rows are taken as independent: a column that follows time (a date, a counter) drifts by its nature.
 *
 * @throws DomainError DATA_INSUFFICIENT for a table without rows
 */
export function measureDrift(reference: DriftReference, table: ColumnTable): DriftReport {
  const binningOf = new Map(reference.columns.map(({ name, binning }) => [name, binning]));
  const columns = table.columns.map((column): [string, ColumnCounts | null] => {
    const binning = binningOf.get(column.name);
    return [column.name, binning === undefined ? null : countColumn(binning, column)];
  });
  return measureDriftOfCounts(reference, { rows: table.rows, columns: new Map(columns) });
}

/** A current window by the reference's bins; null for a column that the reference lacks. */
export interface CountedWindow {
  rows: number;
  columns: ReadonlyMap<string, ColumnCounts | null>;
}

/** {@link measureDrift} of a window that was counted elsewhere. @throws DomainError DATA_INSUFFICIENT for a window without rows */
export function measureDriftOfCounts(
  reference: DriftReference,
  { rows, columns: current }: CountedWindow,
): DriftReport {
  assertRows({ rows }, 'current window');
  const known = new Set(reference.columns.map(({ name }) => name));
  const measured = reference.columns.flatMap(({ name, counts }) => {
    const now = current.get(name) ?? null;
    return now === null ? [] : [compare(name, counts, now)];
  });
  const adjusted = holm(measured.map(({ tests }) => leastOf(tests)));
  const all = measured.reduce((sum, { tests }) => sum + tests.length, 0);
  return {
    rows: { reference: reference.rows, current: rows },
    columns: measured.map((column, i) => ({
      ...column,
      adjustedP: adjusted[i] ?? 1,
      drifted: (adjusted[i] ?? 1) < DRIFT_LEVEL,
      found: column.tests.filter(({ pValue }) => pValue * all < DRIFT_LEVEL).map(({ test }) => test),
    })),
    gone: [...known].filter((name) => !current.has(name)),
    added: [...current.keys()].filter((name) => !known.has(name)),
  };
}

/** Bonferroni within the column. */
function leastOf(tests: ColumnDrift['tests']): number {
  return Math.min(1, tests.length * Math.min(1, ...tests.map(({ pValue }) => pValue)));
}

function compare(
  name: string,
  before: ColumnCounts,
  now: ColumnCounts,
): Omit<ColumnDrift, 'adjustedP' | 'drifted' | 'found'> {
  const { reference, current, unseen } = aligned(before, now);
  const psi = populationStability([...reference, before.missing], [...current, now.missing]);
  const isNumeric = before.kind === 'numeric';
  const missing = {
    test: 'missing',
    pValue: missingP(reference, before.missing, current, now.missing),
  } as const;
  const tests = isNumeric ? numericTests(reference, current) : categoricalTests(reference, current, unseen);
  return {
    name,
    kind: before.kind,
    psi,
    size: psi < 0.1 ? 'slight' : psi <= 0.25 ? 'moderate' : 'severe',
    ksDistance: isNumeric ? kolmogorovDistance(reference, current) : null,
    jensenShannon: jensenShannonDistance(reference, current),
    missingRate: {
      reference: before.missing / (sum(reference) + before.missing),
      current: now.missing / (sum(current) + now.missing),
    },
    newCategories: unseen.slice(0, LISTED_CATEGORIES),
    tests: [...tests, missing],
  };
}

/** Two histograms over the same bins. */
interface Aligned {
  reference: Float64Array;
  current: Float64Array;
  /** Categories that only the current window has, most frequent first. */
  unseen: { category: string; rows: number }[];
}

/**
 * Categories have a bin each in the order of their rows in both windows together, the rarest share the last: an order by the reference
 * alone would mistake its luck for its distribution.
 */
function aligned(before: ColumnCounts, now: ColumnCounts): Aligned {
  if (before.kind === 'numeric' || now.kind === 'numeric') {
    const binsOf = (counts: ColumnCounts): Float64Array =>
      counts.kind === 'numeric' ? counts.bins : NO_BINS;
    return { reference: binsOf(before), current: binsOf(now), unseen: [] };
  }
  const both = [...new Set([...before.rows.keys(), ...now.rows.keys()])].map((category) => ({
    category,
    old: before.rows.get(category) ?? 0,
    rows: now.rows.get(category) ?? 0,
  }));
  both.sort((a, b) => b.old + b.rows - a.old - a.rows);
  const bins = Math.min(both.length, MAX_CATEGORIES + 1);
  const [reference, current] = [new Float64Array(bins), new Float64Array(bins)];
  for (const [i, { old, rows }] of both.entries()) {
    const bin = Math.min(i, MAX_CATEGORIES);
    reference[bin] = (reference[bin] ?? 0) + old;
    current[bin] = (current[bin] ?? 0) + rows;
  }
  const unseen = both.filter(({ old }) => old === 0).map(({ category, rows }) => ({ category, rows }));
  return { reference, current, unseen };
}

function numericTests(reference: Float64Array, current: Float64Array): ColumnDrift['tests'] {
  const [n, m] = [sum(reference), sum(current)];
  const distance = kolmogorovDistance(reference, current);
  return [
    { test: 'distribution', pValue: chiSquareP(reference, current) },
    { test: 'tails', pValue: chiSquareP(...tailsOnly(reference, current)) },
    { test: 'cumulative', pValue: n > 0 && m > 0 ? kolmogorovTail(distance, n, m) : 1 },
    { test: 'below range', pValue: n > 0 ? allInSecond(current[0] ?? 0, n, m) : 1 },
    { test: 'above range', pValue: n > 0 ? allInSecond(current.at(-1) ?? 0, n, m) : 1 },
  ];
}

/** Both histograms with the bins between the reference's first and last hundredth as one, and the others as they are. */
function tailsOnly(reference: Float64Array, current: Float64Array): [Float64Array, Float64Array] {
  const n = sum(reference);
  let below = 0;
  const isMiddle = Array.from(reference, (rows) => {
    const before = below;
    below += rows;
    return below > TAIL_SHARE * n && before < (1 - TAIL_SHARE) * n;
  });
  const pooled = (rows: Float64Array): Float64Array =>
    Float64Array.of(...rows.filter((_, bin) => !isMiddle[bin]), sum(rows.filter((_, bin) => isMiddle[bin])));
  return [pooled(reference), pooled(current)];
}

function categoricalTests(
  reference: Float64Array,
  current: Float64Array,
  unseen: Aligned['unseen'],
): ColumnDrift['tests'] {
  // Any of the categories could have been the one that is new by chance.
  const oneNew = allInSecond(unseen[0]?.rows ?? 0, sum(reference), sum(current));
  return [
    { test: 'categories', pValue: chiSquareP(reference, current) },
    { test: 'new category', pValue: Math.min(1, oneNew * Math.max(1, reference.length, unseen.length)) },
  ];
}

function missingP(
  reference: Float64Array,
  missing: number,
  current: Float64Array,
  nowMissing: number,
): number {
  const [n, m] = [sum(reference), sum(current)];
  if (missing === 0) return allInSecond(nowMissing, n, m + nowMissing);
  return chiSquareP([n, missing], [m, nowMissing]);
}

function chiSquareP(before: ArrayLike<number>, now: ArrayLike<number>): number {
  const { statistic, degrees } = chiSquareOf(before, now);
  return chiSquareTail(statistic, degrees);
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, rows) => total + rows, 0);
}

function assertRows(table: { rows: number }, what: string): void {
  if (table.rows > 0) return;
  throw new DomainError('DATA_INSUFFICIENT', `the ${what} has no rows: drift needs rows in both windows`);
}
