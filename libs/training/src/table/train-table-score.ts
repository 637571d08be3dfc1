import { availableParallelism } from 'node:os';
import type { Measured, ModelCard, ScoreSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { encodeTable, fitTableEncoder } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { applyCalibration } from '@sextant/learning/calibration';
import { type LightGbmProcess, openLightGbm } from '@sextant/lightgbm';
import type { OnnxModel } from '@sextant/onnx';
import type { ParityProbe } from '../gates/index.js';
import { verifiedForms } from '../runtime/index.js';
import { calibrateTableModel, type TableCalibration } from './calibrate-table-model.js';
import { type Choice, chooseFamily, evaluateFamily } from './choose-family.js';
import { dominantColumn } from './dominant-column.js';
import { lightGbmFamily } from './lightgbm-family.js';
import { logisticFamily } from './logistic-family.js';
import { describeTraining, type TableWords } from './describe-training.js';
import { type ExampleSplit, splitExamples } from './split-examples.js';
import { countPositives, takeExamples, type TableExamples } from './table-examples.js';
import type { FittedTableModel } from './table-model.js';

export interface TableScoreOptions {
  seed: number;
  /** Path of the LightGBM library; null trains the logistic baseline alone. */
  lightGbm: string | null;
  /** How long after `at` an outcome may come, in the unit of `at`; 0 where it is known at once. */
  horizon: number;
  /** What the examples and their outcomes are called in messages and on the card. */
  words: TableWords;
  /** Columns that stay in although they look as if they gave the outcome away. */
  keep?: readonly string[];
  /**
   * Every column is known to be of the instant `at`, as features of the store are: a column is then never left out for being much stronger
   * than the others, only asked about.
   */
  isPointInTime?: boolean;
  /** `share` in [0, 1]; only rises and ends at 1. */
  onProgress?: (share: number, step: string) => void;
}

/** A trained and verified score; what is still open is the task's name, horizon, purpose and version. */
export interface TrainedTableScore {
  /** Everything of the manifest's spec that comes from training. */
  spec: Omit<ScoreSpec, 'task' | 'horizonDays' | 'explainFile'> & { explainFile: string };
  /** Input `features`, output `probability`; compared with the fitted model through ONNX Runtime. */
  onnx: OnnxModel;
  /** Text of the file `spec.explainFile`. */
  explainer: string;
  /** On validation rows that no fit has seen: `auc`, `logLoss`, `brier`. */
  metrics: Record<string, Measured>;
  /** The same of the logistic baseline. */
  baselineMetrics: Record<string, Measured>;
  /** The model card but for its purpose. */
  card: Omit<ModelCard, 'purpose'>;
  /** Columns left out because they give the outcome away. */
  leaked: string[];
  /** AUC that each column reaches alone on the rows before validation. */
  alone: ReadonlyMap<string, number>;
  /** Rows with the answers of the fitted model: what a published file is held against. */
  probe: ParityProbe;
  split: ExampleSplit;
  choice: Choice;
  /** Fitted on all examples, before calibration. */
  model: FittedTableModel;
  calibration: TableCalibration;
  /** Calibrated probabilities of rows with the same columns, shape [rows]; what the ONNX model answers. */
  probabilities: (table: TableExamples['table']) => Float64Array;
}

const MIN_EXAMPLES = 50;
const MIN_OF_A_CLASS = 10;
const VERIFIED_ROWS = 1000;
const PARITY_TOLERANCE = 1e-5;
/** A core stays free: LightGBM's threads wait for each other, and one that has no core makes all of them slow. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));
const EXPLAIN_FILE = 'explain.json';

/**
 * A score from any table with two outcomes: a logistic baseline and LightGBM, the simpler kept unless the other is better beyond
 * noise on validation rows (later ones where the examples have times), fitted again on all examples, calibrated on out-of-fold
 * margins, written as ONNX and compared with ONNX Runtime. Equal examples and seed give equal files.
 *
 * @param examples  ascending in `at`; sort them by (at, group) so that their order does not matter
 * @throws DomainError DATA_INSUFFICIENT naming counts and remedy, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainTableScore(
  examples: TableExamples,
  options: TableScoreOptions,
): Promise<TrainedTableScore> {
  const { seed, onProgress = () => undefined } = options;
  checkEnough(examples, options.words);
  onProgress(0.02, 'splitting examples');
  const split = splitExamples(examples, { seed, horizon: options.horizon });
  const checked = checkColumns(examples, split, options);
  const { lightGbm, notes } = await openLightGbm(options.lightGbm, 'only the linear baseline was trained');
  try {
    const choice = await choose({ examples, split, exclude: checked.leaked, lightGbm, options });
    onProgress(0.6, 'calibrating');
    const rows = split.kind === 'later' ? split.validate : Array.from(examples.labels.keys());
    const calibration = await calibrateTableModel(choice.chosen.tuned, examples, { rows, seed });
    onProgress(0.85, 'fitting on all examples');
    const model = await choice.chosen.tuned.fit(examples);
    onProgress(0.95, 'comparing ONNX with the fitted model');
    const warnings = [...notes, ...split.notes, ...checked.warnings];
    const { leaked, alone } = checked;
    const parts = { examples, split, choice, calibration, model, warnings, leaked, alone };
    const trained = await handOver(parts, options.words);
    onProgress(1, 'done');
    return trained;
  } finally {
    await lightGbm?.close();
  }
}

function checkEnough({ labels }: TableExamples, words: TableWords): void {
  const positives = countPositives(labels);
  const negatives = labels.length - positives;
  if (labels.length >= MIN_EXAMPLES && Math.min(positives, negatives) >= MIN_OF_A_CLASS) return;
  const { examples, positive, negative, remedy } = words;
  throw new DomainError(
    'DATA_INSUFFICIENT',
    `${labels.length} ${examples} with a known outcome, ${positives} ${positive} and ${negatives} ${negative}: a model needs at least ${MIN_EXAMPLES}, with ${MIN_OF_A_CLASS} ${positive} and ${MIN_OF_A_CLASS} ${negative}; ${remedy}`,
  );
}

interface CheckedColumns {
  leaked: string[];
  warnings: string[];
  alone: ReadonlyMap<string, number>;
}

/** What is wrong with the columns, seen on the rows before validation; leaking columns are left out of every fit. */
function checkColumns(
  examples: TableExamples,
  split: ExampleSplit,
  { words, keep = [], isPointInTime = false }: TableScoreOptions,
): CheckedColumns {
  const { table, labels } = takeExamples(examples, split.beforeValidation);
  const { leaked, warnings, alone } = fitTableEncoder(table, { purpose: 'linear', labels, keep });
  const dominant = dominantColumn(examples, { split, alone, exclude: leaked });
  if (dominant !== null) {
    const { column, strength } = dominant;
    const isLeft = dominant.isLeak && !isPointInTime && !keep.includes(column);
    if (isLeft) leaked.push(column);
    warnings.push(
      isLeft
        ? `column "${column}" left out: it gives the label away, for it ${strength}`
        : `column "${column}" ${strength}: check that it is known before the outcome`,
    );
  }
  const fit = takeExamples(examples, split.fit).table;
  const usable = fitTableEncoder(fit, { purpose: 'trees', exclude: leaked });
  if (usable.encoding.columns.length > 0) return { leaked, warnings, alone };
  throw new DomainError(
    'DATA_INSUFFICIENT',
    `no column of the ${examples.labels.length} ${words.examples} can be learnt from (${warnings.join('; ') || 'there is none'}); send fields that differ between them`,
  );
}

interface ChoiceInput {
  examples: TableExamples;
  split: ExampleSplit;
  exclude: readonly string[];
  lightGbm: LightGbmProcess | null;
  options: TableScoreOptions;
}

async function choose({ examples, split, exclude, lightGbm, options }: ChoiceInput): Promise<Choice> {
  const { seed, words, onProgress = () => undefined } = options;
  onProgress(0.05, 'fitting the logistic baseline');
  const baseline = await evaluateFamily(logisticFamily(exclude), examples, { split, seed });
  if (lightGbm === null) {
    const reason = 'no other model was trained, for LightGBM is not available';
    return { chosen: baseline, baseline, reason };
  }
  onProgress(0.2, 'fitting LightGBM');
  const family = lightGbmFamily({ lightGbm, exclude, seed, threads: THREADS });
  const other = await evaluateFamily(family, examples, { split, seed });
  const rows = `${split.validate.length} ${split.kind === 'later' ? 'later' : 'held-out'} ${words.examples}`;
  return chooseFamily(baseline, other, { seed, rows });
}

interface Parts {
  examples: TableExamples;
  split: ExampleSplit;
  choice: Choice;
  calibration: TableCalibration;
  model: FittedTableModel;
  warnings: string[];
  leaked: string[];
  alone: ReadonlyMap<string, number>;
}

async function handOver(parts: Parts, words: TableWords): Promise<TrainedTableScore> {
  const { examples, choice, calibration, model } = parts;
  const { calibration: map, bands, quantiles, reliability } = calibration;
  const probabilities = (table: TableExamples['table']): Float64Array =>
    model.margins(table).map((margin) => applyCalibration(map, margin));
  const latest = takeExamples(examples, Array.from(examples.labels.keys()).slice(-VERIFIED_ROWS)).table;
  const rows = encodeTable(model.encoding, latest);
  const expected = probabilities(latest);
  const onnx = await verifiedForms(model.toOnnx(map), rows, expected);
  return {
    spec: {
      table: model.encoding,
      family: choice.chosen.tuned.name,
      explainFile: EXPLAIN_FILE,
      bands,
      quantiles,
      reliability,
    },
    onnx,
    explainer: writeExplainer(model.encoding, model.explained, map),
    metrics: choice.chosen.metrics,
    baselineMetrics: choice.baseline.metrics,
    card: describeTraining({ ...parts, words, features: model.encoding.columns.map(({ column }) => column) }),
    leaked: parts.leaked,
    alone: parts.alone,
    probe: { input: rows, rows: latest.rows, expected, tolerance: PARITY_TOLERANCE },
    split: parts.split,
    choice,
    model,
    calibration,
    probabilities,
  };
}
