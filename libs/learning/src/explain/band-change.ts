import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { calibratedLogOdds, type Calibration } from '../calibration/calibration-map.js';
import { logit } from '../score/logistic.js';
import { type Cell, tableOfRecords } from '../tabular/column-table.js';
import { encodedWidth, encodeTable } from '../tabular/encode-table.js';
import { signedLog1p } from '../tabular/signed-log1p.js';
import type { ExplainedModel, ExplainedScore } from './explainer.js';
import { type ActionableColumn, minimalLinearChange } from './minimal-change.js';
import { minimalTreeChange } from './minimal-tree-change.js';

export interface BandQuestion {
  /** raw cells of one row by column */
  row: Readonly<Record<string, Cell>>;
  /** calibrated probability at which the band begins, in (0, 1) */
  probability: number;
  /** `reach`: at least that probability is wanted; `leave`: less */
  aim: 'reach' | 'leave';
  /** numeric raw columns that may change; null: all */
  columns: readonly string[] | null;
}

/** In raw units. */
export interface ColumnMove {
  column: string;
  from: number;
  to: number;
}

type NumericEncoding = Extract<ColumnEncoding, { kind: 'numeric' }>;

/** Margins that a probability of float32 can tell apart lie within. */
const MARGIN_RANGE = 60;
const BISECTIONS = 80;
/** Of a linear score; trees are searched column by column, since pairs cost seconds. */
const LINEAR_COLUMNS = 2;

/**
 * The smallest change of raw numeric columns that brings a score across the edge of a band, within the range that training saw: fewest
 * columns first, then the least distance in standard deviations.
 *
 * @returns  empty where the row is there already; null where no such change is found
 */
export function changeToBand(
  { explained, calibration }: ExplainedScore,
  encoding: TableEncoding,
  { row, probability, aim, columns }: BandQuestion,
): ColumnMove[] | null {
  const encoded = encodeTable(encoding, tableOfRecords([row]));
  // A cell that is missing cannot be changed by an amount.
  const levers = leversOf(encoding, explained, encoded).filter(
    ({ column: { column } }) =>
      typeof row[column] === 'number' && (columns === null || columns.includes(column)),
  );
  const question = {
    row: encoded,
    threshold: marginAt(calibration, probability),
    aim,
    actionable: levers.map(({ actionable }) => actionable),
  };
  const change =
    explained.method === 'linear'
      ? minimalLinearChange(explained.model, { ...question, maxColumns: LINEAR_COLUMNS })
      : minimalTreeChange(explained.ensemble, { ...question, maxColumns: 1 });
  if (change === null) return null;
  return change.changes.flatMap(({ column: feature, to }): ColumnMove[] => {
    const lever = levers.find(({ actionable }) => actionable.column === feature);
    const from = Number(lever && row[lever.column.column]);
    if (!lever) return [];
    const raw = rawOf(lever.column, to);
    const isRounded = explained.method === 'linear' && Number.isInteger(from);
    return [{ column: lever.column.column, from, to: isRounded ? roundedOutwards(from, raw, lever) : raw }];
  });
}

/** Whole numbers stay whole: the next one beyond, which a linear score only likes better, unless training never saw it. */
function roundedOutwards(from: number, to: number, { column: { range } }: Lever): number {
  const whole = to > from ? Math.ceil(to) : Math.floor(to);
  return range !== undefined && (whole < range[0] || whole > range[1]) ? to : whole;
}

interface Lever {
  column: NumericEncoding;
  /** in units of the model's input */
  actionable: ActionableColumn;
}

/** Numeric columns whose range is known: training's, or that of the trees' thresholds. */
function leversOf(encoding: TableEncoding, explained: ExplainedModel, encoded: Float32Array): Lever[] {
  const levers: Lever[] = [];
  let feature = 0;
  for (const column of encoding.columns) {
    const at = feature;
    feature += encodedWidth(column);
    if (column.kind !== 'numeric') continue;
    const thresholds = explained.method === 'tree-shap' ? thresholdsOf(explained, at) : [];
    const range = rangeOf(column, thresholds);
    if (range === null) continue;
    const [low, high] = range;
    const scale = encoding.standardised ? 1 : (high - low) / 4;
    if (!(scale > 0)) continue;
    const step = isCount(column, thresholds, encoded[at] ?? Number.NaN) ? { step: 1 } : {};
    levers.push({ column, actionable: { column: at, low, high, scale, ...step } });
  }
  return levers;
}

function thresholdsOf(explained: Extract<ExplainedModel, { method: 'tree-shap' }>, at: number): number[] {
  return explained.ensemble.trees.flatMap((tree) =>
    [...tree.threshold].filter((_, node) => tree.feature[node] === at),
  );
}

function rangeOf(column: NumericEncoding, thresholds: readonly number[]): [number, number] | null {
  if (column.range) return [encodedOf(column, column.range[0]), encodedOf(column, column.range[1])];
  if (thresholds.length === 0) return null;
  let [low, high] = [Infinity, -Infinity];
  for (const threshold of thresholds) {
    low = Math.min(low, threshold);
    high = Math.max(high, threshold);
  }
  const beyond = Math.max(1e-3, 1e-3 * Math.abs(high), high - low);
  return [low, high + beyond];
}

/** Trees that split whole numbers only split at halves: new values of such a column are whole, too. */
function isCount(
  { transform, mean, scale }: NumericEncoding,
  thresholds: readonly number[],
  x: number,
): boolean {
  if (transform !== 'none' || mean !== 0 || scale !== 1 || thresholds.length === 0) return false;
  const isHalf = (value: number): boolean => Math.abs(2 * value - Math.round(2 * value)) < 1e-5;
  return Number.isInteger(x) && thresholds.every(isHalf);
}

function encodedOf({ transform, mean, scale }: NumericEncoding, raw: number): number {
  return ((transform === 'none' ? raw : signedLog1p(raw)) - mean) / scale;
}

function rawOf({ transform, mean, scale }: NumericEncoding, encoded: number): number {
  const value = encoded * scale + mean;
  return transform === 'none' ? value : Math.sign(value) * Math.expm1(Math.abs(value));
}

/** The margin whose calibrated probability it is, by bisection: calibrations rise. */
function marginAt(calibration: Calibration, probability: number): number {
  const wanted = logit(probability);
  let [low, high] = [-MARGIN_RANGE, MARGIN_RANGE];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (calibratedLogOdds(calibration, middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}
