import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { calibratedLogOdds, type Calibration } from '../calibration/calibration-map.js';
import type { LogisticModel } from '../score/logistic.js';
import { columnOfFeature } from '../tabular/encode-table.js';
import type { Tree, TreeEnsemble } from '../trees/tree-ensemble.js';
import { TreeShap } from './tree-shap.js';

export interface Explanation {
  /** Log-odds of the calibrated probability for an average training row. */
  baseValue: number;
  /** One a raw column; baseValue + Σ contributions = log-odds of the row's calibrated probability. */
  contributions: Float64Array;
}

export interface Explainer {
  method: 'linear' | 'tree-shap';
  /** Raw column of each contribution. */
  columns: readonly string[];
  /** @param row  one encoded row, shape [features] */
  explain(row: ArrayLike<number>): Explanation;
  /**
   * Several rows at once, which costs trees half as much a row. The first call builds the tables of the trees.
   *
   * @param rows  encoded rows, row-major, shape [count, features]
   */
  explainRows(rows: ArrayLike<number>, count: number): Explanation[];
}

/** What is explained: a linear model with the mean of each encoded column over the training rows, or trees. */
export type ExplainedModel =
  | { method: 'linear'; model: LogisticModel; means: Float64Array }
  | { method: 'tree-shap'; ensemble: TreeEnsemble };

interface ExplainFile {
  format: 'sextant-explainer-1';
  columns: string[];
  columnOfFeature: number[];
  calibration: Calibration;
  linear?: { coefficients: number[]; intercept: number; means: number[] };
  trees?: { baseScore: number; trees: Record<keyof Tree, number[]>[] };
}

/** JSON that `parseExplainer` reads. */
export function writeExplainer(
  encoding: TableEncoding,
  explained: ExplainedModel,
  calibration: Calibration,
): string {
  const explainedColumns = encoding.columns.map(explainedColumn);
  const columns = [...new Set(explainedColumns)];
  const file: ExplainFile = {
    format: 'sextant-explainer-1',
    columns,
    columnOfFeature: Array.from(columnOfFeature(encoding), (at) =>
      columns.indexOf(explainedColumns[at] ?? ''),
    ),
    calibration,
  };
  if (explained.method === 'linear') {
    const { coefficients, intercept } = explained.model;
    file.linear = { coefficients: [...coefficients], intercept, means: [...explained.means] };
  } else {
    const { baseScore, trees } = explained.ensemble;
    file.trees = { baseScore, trees: trees.map(plainTree) };
  }
  return JSON.stringify(file);
}

/** The raw column that a person would name as the reason: the number of a product's own effect, not the product. */
function explainedColumn(column: ColumnEncoding): string {
  return column.kind === 'lookup' ? (column.times?.column ?? column.column) : column.column;
}

/** @throws DomainError ARTEFACT_INVALID when the text is not what `writeExplainer` wrote */
export function parseExplainer(text: string): Explainer {
  const file = readFile(text);
  const attribution = attributionOf(file);
  const explainRows: Explainer['explainRows'] = (rows, count) => {
    const { base, byFeature } = attribution(rows, count);
    return byFeature.map((contributions) => byColumn(file, base, contributions));
  };
  return {
    method: file.linear === undefined ? 'tree-shap' : 'linear',
    columns: file.columns,
    explainRows,
    explain: (row) => {
      const [explanation] = explainRows(row, 1);
      if (explanation === undefined) throw new RangeError('one row has one explanation');
      return explanation;
    },
  };
}

/** What an explain file explains, for other questions about the same model. */
export interface ExplainedScore {
  explained: ExplainedModel;
  calibration: Calibration;
}

/** @throws DomainError ARTEFACT_INVALID when the text is not what `writeExplainer` wrote */
export function readExplainedScore(text: string): ExplainedScore {
  const { linear, trees, calibration } = readFile(text);
  if (linear) {
    const model = { coefficients: Float64Array.from(linear.coefficients), intercept: linear.intercept };
    return { explained: { method: 'linear', model, means: Float64Array.from(linear.means) }, calibration };
  }
  if (trees === undefined) throw invalid('it holds neither weights nor trees');
  const ensemble = { baseScore: trees.baseScore, trees: trees.trees.map(typedTree) };
  return { explained: { method: 'tree-shap', ensemble }, calibration };
}

/** Margins taken apart: that of an average row, and what each feature of each row adds to it. */
type AttributeRows = (
  rows: ArrayLike<number>,
  count: number,
) => { base: number; byFeature: ArrayLike<number>[] };

function attributionOf({ linear, trees, columnOfFeature: { length: width } }: ExplainFile): AttributeRows {
  if (linear !== undefined) {
    const { coefficients, intercept, means } = linear;
    const base = coefficients.reduce((sum, weight, j) => sum + weight * (means[j] ?? 0), intercept);
    const ofRow = (rows: ArrayLike<number>, from: number): number[] =>
      coefficients.map((weight, j) => weight * ((rows[from + j] ?? 0) - (means[j] ?? 0)));
    return (rows, count) => ({
      base,
      byFeature: Array.from({ length: count }, (_, i) => ofRow(rows, i * width)),
    });
  }
  if (trees === undefined) throw invalid('it holds neither weights nor trees');
  const ensemble = { baseScore: trees.baseScore, trees: trees.trees.map(typedTree) };
  let built: TreeShap | null = null;
  return (rows, count) => {
    built ??= new TreeShap(ensemble, width);
    const phi = built.contributionsOf(rows, count);
    const ofRow = (i: number): Float64Array => phi.subarray(i * width, (i + 1) * width);
    return { base: built.baseValue, byFeature: Array.from({ length: count }, (_, i) => ofRow(i)) };
  };
}

/** Contributions of features to a margin as those of raw columns to the calibrated log-odds. */
function byColumn(
  { columns, columnOfFeature: groups, calibration }: ExplainFile,
  base: number,
  byFeature: ArrayLike<number>,
): Explanation {
  const contributions = new Float64Array(columns.length);
  let total = 0;
  for (const [feature, column] of groups.entries()) {
    const own = byFeature[feature] ?? 0;
    contributions[column] = (contributions[column] ?? 0) + own;
    total += own;
  }
  const slope = slopeBetween(calibration, base, base + total);
  return {
    baseValue: calibratedLogOdds(calibration, base),
    contributions: contributions.map((own) => slope * own),
  };
}

/**
 * What one unit of margin is worth in calibrated log-odds on the way from the average row to this one: the line's slope, or where the
 * calibration bends the mean slope between the two, so that the contributions still add up.
 */
function slopeBetween(calibration: Calibration, from: number, to: number): number {
  if (calibration.bend === undefined || from === to) return calibration.a;
  return (calibratedLogOdds(calibration, to) - calibratedLogOdds(calibration, from)) / (to - from);
}

function readFile(text: string): ExplainFile {
  let file: Partial<ExplainFile> | null;
  try {
    file = JSON.parse(text) as Partial<ExplainFile> | null;
  } catch (cause) {
    throw new DomainError('ARTEFACT_INVALID', 'the explain file is not JSON', { cause });
  }
  if (file?.format !== 'sextant-explainer-1') throw invalid('its format is unknown');
  const { columns, columnOfFeature: groups, calibration } = file;
  if (!Array.isArray(columns) || !Array.isArray(groups) || typeof calibration?.a !== 'number') {
    throw invalid('it lacks columns or calibration');
  }
  const weights = file.linear?.coefficients.length;
  if (weights !== undefined && weights !== groups.length)
    throw invalid(`${weights} weights for ${groups.length} features`);
  return file as ExplainFile;
}

function plainTree(tree: Tree): Record<keyof Tree, number[]> {
  return {
    feature: [...tree.feature],
    threshold: [...tree.threshold],
    left: [...tree.left],
    right: [...tree.right],
    defaultLeft: [...tree.defaultLeft],
    value: [...tree.value],
    cover: [...tree.cover],
  };
}

function typedTree(tree: Record<keyof Tree, number[]>): Tree {
  return {
    feature: Int32Array.from(tree.feature),
    threshold: Float64Array.from(tree.threshold),
    left: Int32Array.from(tree.left),
    right: Int32Array.from(tree.right),
    defaultLeft: Uint8Array.from(tree.defaultLeft),
    value: Float64Array.from(tree.value),
    cover: Float64Array.from(tree.cover),
  };
}

function invalid(why: string): DomainError {
  return new DomainError('ARTEFACT_INVALID', `the explain file cannot be used: ${why}`);
}
