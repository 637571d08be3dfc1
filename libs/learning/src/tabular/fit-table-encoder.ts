import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { crc32 } from '../metrics/crc32-split.js';
import {
  type CategoricalColumn,
  type ColumnTable,
  isNumericText,
  numericView,
  type TableColumn,
} from './column-table.js';
import { dateEncoding } from './fit-date.js';
import { encodedNames, MISSING_CATEGORY } from './encode-table.js';
import { signedLog1p } from './signed-log1p.js';
import { findLeaks } from './leakage.js';

export interface TableEncoderOptions {
  /** 'linear' fills, standardises and draws in long tails; 'trees' keeps numbers and missing cells as they are. */
  purpose: 'linear' | 'trees';
  /** 0 or 1, shape [rows]; without labels leakage is not looked for. */
  labels?: ArrayLike<number>;
  /** Columns to leave out. */
  exclude?: readonly string[];
  /** Columns that stay in although they give the label away; a warning says so. */
  keep?: readonly string[];
  /** Most frequent texts that get an input column each; 40 when absent. */
  maxCategories?: number;
}

export interface FittedTableEncoder {
  encoding: TableEncoding;
  /** Names of columns that were left out because they give the label away. */
  leaked: string[];
  /** One sentence for each column left out or grouped. */
  warnings: string[];
  /** What each column reaches alone, as AUC; empty without labels. */
  alone: ReadonlyMap<string, number>;
}

const DEFAULT_MAX_CATEGORIES = 40;
const SKEWED = 2;
const MIN_ROWS_OF_AN_IDENTIFIER = 50;
/** Share of the present cells of a column of numbers that are numbers, and how many different ones there are at least. */
const MOSTLY = 0.95;
const MIN_DIFFERENT_NUMBERS = 20;

/**
 * Learns how a raw table becomes model input: numbers, parts of dates, one-hot texts (rare ones grouped as "other"), constant and duplicate
 * columns left out, and columns that give the label away (`findLeaks`) named and left out, suspicious ones named and kept.
 * Columns come out in the order of the table.
 */
export function fitTableEncoder(table: ColumnTable, options: TableEncoderOptions): FittedTableEncoder {
  const excluded = new Set(options.exclude ?? []);
  const leaked: string[] = [];
  const warnings: string[] = [];
  const columns: ColumnEncoding[] = [];
  const seen = new Map<string, string>();
  const fitted = table.columns.filter(({ name }) => !excluded.has(name)).map(asFitted);
  const raw = new Map(table.columns.map((column) => [column.name, column]));
  const found = options.labels && findLeaks({ rows: table.rows, columns: fitted }, options.labels);
  for (const column of fitted) {
    const print = fingerprint(column);
    const first = seen.get(print);
    const encoding = encodingOf(column, table.rows, options);
    const [leak, suspicion] = [found?.leaks.get(column.name), found?.suspicious.get(column.name)];
    if ('dropped' in encoding) warnings.push(`column "${column.name}" left out: ${encoding.dropped}`);
    else if (leak !== undefined && !options.keep?.includes(column.name)) {
      leaked.push(column.name);
      warnings.push(`column "${column.name}" left out: ${leak}`);
    } else if (first !== undefined)
      warnings.push(`column "${column.name}" left out: equal to "${first}" in every row`);
    else {
      columns.push(encoding);
      if (leak !== undefined) warnings.push(`column "${column.name}" kept as asked, but ${leak}`);
      if (suspicion !== undefined) warnings.push(`column "${column.name}" ${suspicion}`);
      warnings.push(...groupingWarning(column, encoding), ...strayWarning(raw.get(column.name), column));
    }
    seen.set(print, first ?? column.name);
  }
  const features = columns.flatMap(encodedNames);
  return {
    encoding: { columns, features, standardised: options.purpose === 'linear' },
    leaked,
    warnings,
    alone: found?.alone ?? new Map(),
  };
}

function asFitted(column: TableColumn): TableColumn {
  if (column.kind === 'numeric' || !(isNumericText(column) || isMostlyNumeric(column))) return column;
  return { kind: 'numeric', name: column.name, values: numericView(column) };
}

/** A few words among many different numbers ("unknown", "Select") are no reason to take each number for a word. */
function isMostlyNumeric(column: CategoricalColumn): boolean {
  const numbers = numericView(column).filter((value) => !Number.isNaN(value));
  const present = column.codes.filter((code) => code >= 0).length;
  return numbers.length >= MOSTLY * present && new Set(numbers).size > MIN_DIFFERENT_NUMBERS;
}

/** Words that a column of numbers counts as missing. */
function strayWarning(before: TableColumn | undefined, fitted: TableColumn): string[] {
  if (before?.kind !== 'categorical' || fitted.kind !== 'numeric' || isNumericText(before)) return [];
  const isStray = before.codes.filter((code, row) => code >= 0 && Number.isNaN(fitted.values[row]));
  const first = before.dictionary[isStray[0] ?? 0] ?? '';
  return [
    `column "${fitted.name}": ${isStray.length} cells such as "${first.slice(0, 40)}" among numbers count as missing`,
  ];
}

type Dropped = { dropped: string };

function encodingOf(
  column: TableColumn,
  rows: number,
  options: TableEncoderOptions,
): ColumnEncoding | Dropped {
  if (column.kind === 'numeric') return numericEncoding(column.name, column.values, options.purpose);
  return (
    dateEncoding(column, options.purpose) ??
    categoricalEncoding(column, rows, options.maxCategories ?? DEFAULT_MAX_CATEGORIES)
  );
}

function numericEncoding(
  column: string,
  values: Float64Array,
  purpose: TableEncoderOptions['purpose'],
): ColumnEncoding | Dropped {
  const present = values.filter((value) => Number.isFinite(value)).sort();
  const [low, high] = [present[0], present.at(-1)];
  const hasMissing = present.length < values.length;
  if (low === undefined) return { dropped: 'no row has a value' };
  if (low === high && !hasMissing) return { dropped: 'the same value in every row' };
  if (isIdentifier(column, present))
    return { dropped: 'an identifier: a whole number of its own in every row' };
  if (purpose === 'trees') {
    return {
      kind: 'numeric',
      column,
      fill: null,
      transform: 'none',
      mean: 0,
      scale: 1,
      missingIndicator: false,
    };
  }
  const fill = present[Math.floor(present.length / 2)] ?? 0;
  const drawnIn = present.map(signedLog1p);
  const skew = Math.abs(moments(present).skewness);
  const isDrawnIn = skew > SKEWED && Math.abs(moments(drawnIn).skewness) < skew;
  const { mean, deviation } = moments(isDrawnIn ? drawnIn : present);
  return {
    kind: 'numeric',
    column,
    fill,
    transform: isDrawnIn ? 'signed-log1p' : 'none',
    mean,
    scale: deviation > 1e-12 * Math.max(1, Math.abs(mean)) ? deviation : 1,
    range: [low, high ?? low],
    missingIndicator: hasMissing,
  };
}

/**
 * Whether a column numbers the rows, by its name and by its cells: an amount may differ in every row too, and a row number says when.
 *
 * @param sorted  the present cells, ascending; fewer than 50 are too few to say
 */
export function isIdentifier(name: string, sorted: Float64Array): boolean {
  if (
    sorted.length < MIN_ROWS_OF_AN_IDENTIFIER ||
    !/(^|[^a-z])(id|uuid|guid|number|no|nr|key)s?$/.test(wordsOf(name))
  )
    return false;
  // Beyond 2^53 different keys may be the same number.
  return sorted.every(
    (value, i) => Number.isInteger(value) && (value !== sorted[i - 1] || !Number.isSafeInteger(value)),
  );
}

function wordsOf(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .trim();
}

function categoricalEncoding(
  column: CategoricalColumn,
  rows: number,
  maxCategories: number,
): ColumnEncoding | Dropped {
  const counts = new Map<string, number>();
  for (const code of column.codes) {
    const text = code < 0 ? MISSING_CATEGORY : (column.dictionary[code] ?? MISSING_CATEGORY);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  if (counts.size === 1) return { dropped: 'the same value in every row' };
  const minRows = Math.min(10, Math.max(2, Math.ceil(rows / 1000)));
  const categories = [...counts]
    .filter(([, count]) => count >= minRows)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, maxCategories)
    .map(([text]) => text);
  if (categories.length === 0)
    return { dropped: `almost every row has a value of its own (${counts.size} in ${rows} rows)` };
  return { kind: 'categorical', column: column.name, categories };
}

function groupingWarning(column: TableColumn, encoding: ColumnEncoding): string[] {
  if (column.kind !== 'categorical' || encoding.kind !== 'categorical') return [];
  const distinct = new Set(column.codes).size;
  const grouped = distinct - encoding.categories.length;
  return grouped > 0
    ? [`column "${column.name}": ${grouped} of ${distinct} values are grouped as other`]
    : [];
}

/** Equal for columns of one kind whose cells are equal in every row, whatever their names. */
function fingerprint(column: TableColumn): string {
  if (column.kind === 'numeric') {
    const { buffer, byteOffset, length } = column.values;
    return `numeric ${hashes(new Uint32Array(buffer, byteOffset, 2 * length))}`;
  }
  const byCode = column.dictionary.map((text) => crc32(text));
  return `categorical ${hashes(column.codes.map((code) => (code < 0 ? -1 : (byCode[code] ?? -1))))}`;
}

/** Two independent 32-bit hashes in the manner of FNV-1a. */
function hashes(words: Uint32Array | Int32Array): string {
  let [a, b] = [0x811c9dc5, 0x2545f491];
  for (const word of words) {
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return `${a >>> 0}:${b >>> 0}`;
}

function moments(values: Float64Array): { mean: number; deviation: number; skewness: number } {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let [second, third] = [0, 0];
  for (const value of values) {
    second += (value - mean) ** 2 / values.length;
    third += (value - mean) ** 3 / values.length;
  }
  const deviation = Math.sqrt(second);
  return { mean, deviation, skewness: deviation > 0 ? third / deviation ** 3 : 0 };
}
