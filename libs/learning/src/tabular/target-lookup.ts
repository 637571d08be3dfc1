import type { ColumnEncoding } from '@sextant/artefacts';
import { crc32 } from '../metrics/crc32-split.js';
import { logit } from '../score/logistic.js';
import { categoricalView, type CategoricalColumn, type ColumnTable } from './column-table.js';

export type LookupEncoding = Extract<ColumnEncoding, { kind: 'lookup' }>;

export interface TargetLookup {
  /** As it is served: the values of all rows. */
  encoding: LookupEncoding;
  /** For the rows it was fitted on, shape [rows]: each from the rows of the other folds, so that a fit cannot read its own label in it. */
  outOfFold: Float32Array;
}

/** Fewer different texts than this are an input column each. */
const MANY = 40;
const MAX_VALUES = 5000;
const FOLDS = 5;
/** Rows at the overall rate that a text's own rows are mixed with. */
const SMOOTHING = 20;

/**
 * One number for a text of a column with very many: the log-odds of its rows, drawn towards those of all rows by 20 pseudo-rows, less the
 * log-odds of all. A text that was not seen, or once only, is 0. Folds go by a hash of the group, so that the rows of one
 * customer are in one fold.
 *
 * @param columns  names of the columns to look at; those with at most 40 different texts are left alone
 * @param labels   0 or 1, shape [rows]
 * @param groups   shape [rows]
 *
 * Source: Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 3(1); the folds:
 * Pargent, Pfisterer, Thomas and Bischl (2022), "Regularized target encoding", Computational Statistics 37.
 */
export function fitTargetLookups(
  table: ColumnTable,
  columns: readonly string[],
  { labels, groups }: { labels: ArrayLike<number>; groups: readonly string[] },
): TargetLookup[] {
  const wanted = new Set(columns);
  const folds = Uint8Array.from(groups, (group) => crc32(`fold ${group}`) % FOLDS);
  return table.columns
    .filter(({ name }) => wanted.has(name))
    .map(categoricalView)
    .filter((column) => new Set(column.codes).size > MANY)
    .map((column) => targetLookup(column, labels, folds));
}

function targetLookup(column: CategoricalColumn, labels: ArrayLike<number>, folds: Uint8Array): TargetLookup {
  const counts = new FoldCounts(column, labels, folds);
  const known = Array.from(column.dictionary.keys())
    .filter((code) => counts.rowsOf(code) >= 2)
    .sort((a, b) => counts.rowsOf(b) - counts.rowsOf(a) || a - b)
    .slice(0, MAX_VALUES);
  const byFold = new Map(
    known.map((code) => [code, Array.from({ length: FOLDS }, (_, fold) => counts.effect(code, fold))]),
  );
  return {
    encoding: {
      kind: 'lookup',
      column: column.name,
      feature: `${column.name} (rate)`,
      values: Object.fromEntries(known.map((code) => [column.dictionary[code] ?? '', counts.effect(code)])),
      other: 0,
      times: null,
    },
    outOfFold: Float32Array.from(column.codes, (code, row) => byFold.get(code)?.[folds[row] ?? 0] ?? 0),
  };
}

/** Rows and positive rows by fold and code, shape [folds, dictionary]. */
class FoldCounts {
  private readonly size: number;
  private readonly rows: Float64Array;
  private readonly hits: Float64Array;
  private readonly ofFold = { rows: new Float64Array(FOLDS), hits: new Float64Array(FOLDS) };

  constructor({ codes, dictionary }: CategoricalColumn, labels: ArrayLike<number>, folds: Uint8Array) {
    this.size = dictionary.length;
    this.rows = new Float64Array(FOLDS * this.size);
    this.hits = new Float64Array(FOLDS * this.size);
    for (const [row, code] of codes.entries()) {
      const [fold, label] = [folds[row] ?? 0, labels[row] ?? 0];
      add(this.ofFold.rows, fold, 1);
      add(this.ofFold.hits, fold, label);
      if (code < 0) continue;
      add(this.rows, fold * this.size + code, 1);
      add(this.hits, fold * this.size + code, label);
    }
  }

  rowsOf(code: number): number {
    return this.sum(this.rows, code);
  }

  /** Log-odds of a text against all, from every fold but one. */
  effect(code: number, without?: number): number {
    const rows = this.sum(this.rows, code, without);
    if (rows === 0) return 0;
    const all = (of: Float64Array): number =>
      of.reduce((sum, n, fold) => sum + (fold === without ? 0 : n), 0);
    const rate = (all(this.ofFold.hits) + 0.5) / (all(this.ofFold.rows) + 1);
    const hits = this.sum(this.hits, code, without);
    return logit((hits + SMOOTHING * rate) / (rows + SMOOTHING)) - logit(rate);
  }

  private sum(of: Float64Array, code: number, without?: number): number {
    let sum = 0;
    for (let fold = 0; fold < FOLDS; fold++) if (fold !== without) sum += of[fold * this.size + code] ?? 0;
    return sum;
  }
}

function add(target: Float64Array, at: number, amount: number): void {
  target[at] = (target[at] ?? 0) + amount;
}
