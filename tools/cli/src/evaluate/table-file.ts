import { DomainError } from '@sextant/domain';
import { isTestRow, toColumnTable } from '@sextant/learning';
import {
  readLabels,
  type RegressionInput,
  takeExamples,
  type TableEvaluationInput,
  type TableExamples,
} from '@sextant/training/table';
import { CsvFile, decimals } from './csv-file.js';
import { isMissing } from './missing-cell.js';

/** Which file, and what its columns are. */
export interface TableFileFlags {
  csv: string;
  target: string;
  positive?: string;
  drop?: string;
  keep?: string;
  split?: string;
  testCsv?: string;
  time?: string;
  weights?: string;
  protected?: string;
  /** Between cells; read from the file when absent, `tab` for a tabulator. */
  delimiter?: string;
}

/** Up to here numbers may be classes. */
const FEW_AMOUNTS = 10;
/** Share of the cells of a column of numbers that may be no number by mistake. */
const MOST_STRAYS = 0.1;
const TEST_WORDS = new Set(['test', 'holdout', 'hold-out', '1', 'true', 'yes']);

/** The rows of one file, or of a training and a test file, by column. */
interface Rows {
  name: string;
  rows: number;
  columns: readonly string[];
  texts: (column: string) => readonly string[];
  numbers: (column: string) => Float64Array;
  times: (column: string) => Float64Array;
  /** Rows from here on are of the test file. */
  testFrom: number;
}

/** Rows of one of two outcomes, or, with `regression`, of an amount. */
export type TableFileInput = TableEvaluationInput & {
  warnings: string[];
  regression: RegressionInput | null;
};

/**
 * Examples and test rows from CSV files. Rows without an outcome are left out, with a warning. A target of more than two different
 * numbers is an amount, unless one of them is named as positive.
 *
 * @throws DomainError INVALID_INPUT naming the column, cell or flag and the remedy
 */
export async function readTableFile(flags: TableFileFlags): Promise<TableFileInput> {
  const file = await rowsOf(flags);
  const target = file.texts(flags.target).map((text) => (isMissing(text) ? '' : text));
  const amounts = flags.positive === undefined ? amountsOf(target, flags.target) : null;
  const { labels, unknown } =
    amounts === null
      ? readLabels(target, flags.target, flags.positive)
      : { labels: new Uint8Array(file.rows), unknown: missingRows(target) };
  const doubts: string[] = [];
  const examples = examplesOf(file, flags, { labels, onDoubt: (message) => doubts.push(message) });
  const isTest = testRule(file, flags);
  const isUnknown = new Set(unknown);
  const order = Array.from(examples.at.keys())
    .filter((row) => !isUnknown.has(row))
    .sort((a, b) => (examples.at[a] ?? 0) - (examples.at[b] ?? 0) || a - b);
  const testRows = Array.from(order.keys()).filter((i) => isTest(order[i] ?? 0, i / order.length));
  const groupsOf = (column: string): string[] => {
    const texts = file.texts(column);
    return order.map((row) => texts[row] ?? '');
  };
  const taken = takeExamples(examples, order);
  return {
    examples: taken,
    testRows,
    regression: amounts && {
      examples: taken,
      amounts: Float64Array.from(order, (row) => amounts[row] ?? Number.NaN),
      testRows,
      target: flags.target,
    },
    protectedColumns: listed(flags.protected).map((name) => ({ attribute: name, groups: groupsOf(name) })),
    warnings: [
      ...missingOutcomes(unknown, flags.target),
      ...fewAmounts(amounts, flags.target),
      ...doubts.map((message) => `read as text: ${message}`),
    ],
  };
}

/**
 * Shape [rows], NaN = missing; null where the target is no column of more than two different numbers.
 *
 * @throws DomainError INVALID_INPUT naming a cell that is no number among nearly only numbers
 */
function amountsOf(target: readonly string[], column: string): Float64Array | null {
  const amounts = Float64Array.from(decimals(target, column), (text) =>
    text === '' ? Number.NaN : Number(text),
  );
  const known = Array.from(target.keys()).filter((row) => target[row] !== '');
  const strays = known.filter((row) => !Number.isFinite(amounts[row]));
  const different = new Set(amounts.filter((amount) => Number.isFinite(amount)));
  if (different.size <= 2 || strays.length > MOST_STRAYS * known.length) return null;
  const [first] = strays;
  if (first === undefined) return amounts;
  throw invalid(
    `the target "${column}" holds numbers but for ${strays.length} rows, the first of them row ${first + 1}: "${target[first]?.slice(0, 40)}"; correct these or leave them out, or name the value that counts with --positive`,
    column,
  );
}

function missingRows(target: readonly string[]): number[] {
  return Array.from(target.keys()).filter((row) => target[row] === '');
}

function missingOutcomes({ length }: readonly number[], column: string): string[] {
  return length > 0 ? [`${length} rows left out: their "${column}" is missing`] : [];
}

/** Classes are often numbered; a score of one of them is another question. */
function fewAmounts(amounts: Float64Array | null, column: string): string[] {
  const different = new Set(amounts?.filter((amount) => !Number.isNaN(amount)));
  return amounts !== null && different.size <= FEW_AMOUNTS
    ? [
        `the target "${column}" has ${different.size} different numbers and is read as an amount: name one with --positive for a score of two outcomes`,
      ]
    : [];
}

async function rowsOf({ csv, testCsv, delimiter }: TableFileFlags): Promise<Rows> {
  const between = delimiter === 'tab' ? '\t' : delimiter;
  if (between?.length !== undefined && between.length !== 1)
    throw invalid(`--delimiter must be one character or "tab", got "${delimiter}"`, '--delimiter');
  const train = await CsvFile.read(csv, between);
  if (testCsv === undefined) {
    return {
      name: train.name,
      rows: train.rows,
      columns: train.header,
      texts: (column) => train.texts(column),
      numbers: (column) => train.numbers(column),
      times: (column) => train.times(column),
      testFrom: train.rows,
    };
  }
  const test = await CsvFile.read(testCsv, between);
  const both = (read: (file: CsvFile) => Float64Array): Float64Array =>
    Float64Array.from([...read(train), ...read(test)]);
  return {
    name: train.name,
    rows: train.rows + test.rows,
    columns: train.header,
    texts: (column) => [...train.texts(column), ...test.texts(column)],
    numbers: (column) => both((file) => file.numbers(column)),
    times: (column) => both((file) => file.times(column)),
    testFrom: train.rows,
  };
}

function examplesOf(
  file: Rows,
  flags: TableFileFlags,
  { labels, onDoubt }: { labels: Uint8Array; onDoubt: (message: string) => void },
): TableExamples {
  const { target, time, weights } = flags;
  const dropped = listed(flags.drop);
  for (const [flag, names] of [
    ['--drop', dropped],
    ['--keep', listed(flags.keep)],
  ] as const) {
    const unknown = names.find((name) => !file.columns.includes(name));
    if (unknown !== undefined)
      throw invalid(`${flag} names "${unknown}", but ${file.name} has no such column`, unknown);
  }
  const splitColumn = columnOfSplit(flags);
  const left = new Set([target, time, weights, splitColumn, ...dropped]);
  const columns = file.columns
    .filter((name) => !left.has(name))
    .map((name) => ({
      name,
      values: decimals(file.texts(name), name, onDoubt).map((text) => (isMissing(text) ? null : text)),
    }));
  return {
    table: toColumnTable({ rows: file.rows, columns }),
    groupIds: Array.from({ length: file.rows }, (_, row) => `row ${row}`),
    at: timesOf(file, flags),
    labels,
    ...(weights !== undefined && { weights: weightsOf(file, weights) }),
  };
}

/** The time column; the order of the rows where the split says that it is one; else no times. */
function timesOf(file: Rows, { time, split = 'crc32' }: TableFileFlags): Float64Array {
  if (time !== undefined) return file.times(time);
  const inOrder = split.startsWith('last:');
  return Float64Array.from({ length: file.rows }, (_, row) => (inOrder ? row : 0));
}

function weightsOf(file: Rows, column: string): Float32Array {
  const weights = Float32Array.from(file.numbers(column));
  const bad = weights.findIndex((weight) => !(weight > 0 && Number.isFinite(weight)));
  if (bad >= 0) throw invalid(`row ${bad + 1}: the weight in "${column}" must be above 0`, column);
  return weights;
}

/** Whether a row is test, from its number in the file and its place (share of the rows before it) in the order of time. */
function testRule(file: Rows, flags: TableFileFlags): (row: number, place: number) => boolean {
  const { split = 'crc32', testCsv } = flags;
  if (testCsv !== undefined) return (row) => row >= file.testFrom;
  if (split === 'crc32') return (row) => isTestRow(row);
  const column = columnOfSplit(flags);
  if (column !== undefined) {
    const cells = file.texts(column);
    return (row) => TEST_WORDS.has((cells[row] ?? '').toLowerCase());
  }
  const share = split.startsWith('last:') ? Number(split.slice(5)) : Number.NaN;
  if (!(share > 0 && share < 1)) {
    throw invalid(
      `--split must be crc32, last:<share between 0 and 1> or column:<name>, got "${split}"`,
      '--split',
    );
  }
  return (_, place) => place >= 1 - share;
}

function columnOfSplit({ split }: TableFileFlags): string | undefined {
  return split?.startsWith('column:') ? split.slice(7) : undefined;
}

/** Names separated by commas. */
export function listed(columns: string | undefined): string[] {
  return columns === undefined ? [] : columns.split(',').map((name) => name.trim());
}

function invalid(message: string, path: string): DomainError {
  return new DomainError('INVALID_INPUT', message, { path });
}
