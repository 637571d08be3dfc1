import { DomainError } from '@sextant/domain';
import { fitTableEncoder, pairedDifference } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { openLightGbm } from '@sextant/lightgbm';
import type { EvaluationReport } from '../evaluation/index.js';
import { amountLeaks } from './amount-leaks.js';
import { columnImportance } from './column-importance.js';
import { lightGbmFamily } from './lightgbm-family.js';
import {
  fitLinear,
  type FittedRegression,
  type RegressionFamily,
  ridgeFamily,
  squaredErrors,
  type TunedRegression,
} from './regression-families.js';
import { regressionFigures } from './regression-figures.js';
import { regressionPlots } from './regression-plots.js';
import { type ExampleSplit, splitExamples } from './split-examples.js';
import { takeExamples, type TableExamples } from './table-examples.js';

export interface RegressionInput {
  /** All rows, training and test, ascending in `at`; `labels` and `values` are made here. */
  examples: Omit<TableExamples, 'labels' | 'values'>;
  /** The outcome, shape [rows], finite. */
  amounts: Float64Array;
  /** Row numbers that no choice sees. */
  testRows: readonly number[];
  /** Name of the outcome. */
  target: string;
}

export interface RegressionOptions {
  seed: number;
  /** Path of the LightGBM library; null trains the linear model alone. */
  lightGbm: string | null;
  /** Columns that stay in although they look as if they gave the outcome away. */
  keep?: readonly string[];
}

const MIN_TRAIN_ROWS = 50;
const MIN_TEST_ROWS = 20;
const LEVEL = 0.95;
/** Deviations by which the mean of the test rows must differ to be worth a sentence. */
const MOVED = 0.2;

/**
 * Learns an amount: linear regression, or LightGBM where its squared error on validation rows is lower beyond noise (later ones where the
 * rows have times), fitted again on all training rows and measured on the test rows.
 *
 * @throws DomainError DATA_INSUFFICIENT where rows are too few, the outcome is one amount only, or no column can be learnt from
 */
export async function evaluateRegression(
  input: RegressionInput,
  options: RegressionOptions,
): Promise<EvaluationReport> {
  const { train, test, scale } = standardised(input);
  const split = splitExamples({ ...train, labels: alternating(train) }, { ...options, horizon: 0 });
  const { leaks, warnings } = checkColumns(takeExamples(train, split.beforeValidation), options.keep ?? []);
  const opened = await openLightGbm(options.lightGbm, 'only linear regression was trained');
  try {
    const trees = opened.lightGbm && {
      lightGbm: opened.lightGbm,
      exclude: leaks,
      seed: options.seed,
      threads: 1,
      objective: 'regression' as const,
    };
    const families = { linear: ridgeFamily(leaks), trees: trees && lightGbmFamily(trees) };
    const choice = await choose(families, train, split, options.seed);
    const model = await choice.tuned.fit(train);
    const amountsOf = (of: FittedRegression): Float64Array =>
      of.margins(test.table).map((margin) => scale.mean + scale.deviation * margin);
    return report({
      input,
      options,
      choice,
      split,
      leaks,
      test,
      predictions: {
        chosen: amountsOf(model),
        mean: new Float64Array(test.labels.length).fill(scale.mean),
        'linear regression': amountsOf(fitLinear(train, 1, leaks)),
      },
      importance: importanceOf(model, test, scale.deviation),
      warnings: [...opened.notes, ...split.notes, ...warnings, ...movedWarning(test)],
    });
  } finally {
    await opened.lightGbm?.close();
  }
}

/** What is wrong with the columns, seen on the rows before validation. */
function checkColumns(
  before: TableExamples,
  keep: readonly string[],
): { leaks: string[]; warnings: string[] } {
  const found = amountLeaks(before, keep);
  const encoder = fitTableEncoder(before.table, { purpose: 'linear', exclude: found.leaks });
  const warnings = [...found.warnings, ...encoder.warnings];
  if (encoder.encoding.columns.length > 0) return { leaks: found.leaks, warnings };
  throw tooLittle(
    `no column can be learnt from (${warnings.join('; ') || 'there is none'}); give columns that differ between the rows`,
  );
}

interface Scale {
  mean: number;
  deviation: number;
}

/** Training and test rows with amounts of mean 0 and deviation 1 over the training rows. */
function standardised({ examples, amounts, testRows }: RegressionInput): {
  train: TableExamples;
  test: TableExamples;
  scale: Scale;
} {
  const isTest = new Set(testRows);
  const trainRows = Array.from(amounts.keys()).filter((row) => !isTest.has(row));
  if (trainRows.length < MIN_TRAIN_ROWS || testRows.length < MIN_TEST_ROWS)
    throw tooLittle(
      `${trainRows.length} training and ${testRows.length} test rows: at least ${MIN_TRAIN_ROWS} and ${MIN_TEST_ROWS} are needed; give more rows or choose another --split`,
    );
  const known = trainRows.map((row) => amounts[row] ?? 0);
  if (known.every((amount) => amount === known[0]))
    throw tooLittle(`every training row has the outcome ${known[0]}: give rows that differ`);
  const mean = known.reduce((sum, amount) => sum + amount / known.length, 0);
  const deviation = Math.sqrt(known.reduce((sum, amount) => sum + (amount - mean) ** 2 / known.length, 0));
  const median = known.toSorted((a, b) => a - b)[Math.floor(known.length / 2)] ?? 0;
  const all: TableExamples = {
    ...examples,
    labels: Uint8Array.from(amounts, (amount) => Number(amount > median)),
    values: Float32Array.from(amounts, (amount) => (amount - mean) / deviation),
  };
  return {
    train: takeExamples(all, trainRows),
    test: takeExamples(all, testRows),
    scale: { mean, deviation },
  };
}

/** A split asks for both outcomes in each part; an amount has none, and every other row stands for one. */
function alternating({ labels }: TableExamples): Uint8Array {
  return labels.map((_, row) => row % 2);
}

interface Choice {
  tuned: TunedRegression;
  reason: string;
}

async function choose(
  { linear, trees }: { linear: RegressionFamily; trees: RegressionFamily | null },
  train: TableExamples,
  split: ExampleSplit,
  seed: number,
): Promise<Choice> {
  const validate = takeExamples(train, split.validate);
  const measure = async (family: RegressionFamily) => {
    const tuned = await family.tune(takeExamples(train, split.fit), takeExamples(train, split.tune));
    const model = await tuned.fit(takeExamples(train, split.beforeValidation));
    return { tuned, errors: squaredErrors(validate, model.margins(validate.table)) };
  };
  const simpler = await measure(linear);
  if (trees === null)
    return { tuned: simpler.tuned, reason: 'no other model was trained, for LightGBM is not available' };
  const other = await measure(trees);
  const gain = pairedDifference(simpler.errors, other.errors, { seed, level: LEVEL });
  const figures = `${gain.value.toFixed(4)} of the outcome's variance (95 % interval ${gain.low.toFixed(4)} to ${gain.high.toFixed(4)})`;
  const rows = `${split.validate.length} ${split.kind === 'later' ? 'later' : 'held-out'} rows`;
  return gain.low > 0
    ? {
        tuned: other.tuned,
        reason: `LightGBM's squared error on ${rows} is lower than that of linear regression by ${figures}`,
      }
    : {
        tuned: simpler.tuned,
        reason: `the simpler model is kept: LightGBM's squared error on ${rows} is not lower beyond noise, the difference is ${figures}`,
      };
}

/** Of standardised amounts: the mean of the training rows is 0, their deviation 1. */
function movedWarning({ values = new Float32Array(0) }: TableExamples): string[] {
  const middle = values.reduce((sum, value) => sum + value / values.length, 0);
  return Math.abs(middle) > Math.max(MOVED, 5 / Math.sqrt(values.length))
    ? [
        `drift: the mean outcome of the test rows is ${Math.abs(middle).toFixed(2)} deviations ${middle > 0 ? 'above' : 'below'} that of the training rows; forecasts lag behind such a move`,
      ]
    : [];
}

function importanceOf(model: FittedRegression, test: TableExamples, deviation: number) {
  const explainer = writeExplainer(model.encoding, model.explained, { a: 1, b: 0 });
  return columnImportance({ model, explainer }, test).map(({ column, contribution }) => ({
    column,
    contribution: contribution * deviation,
  }));
}

interface Measured {
  input: RegressionInput;
  options: RegressionOptions;
  choice: Choice;
  split: ExampleSplit;
  leaks: string[];
  test: TableExamples;
  /** Amounts of the test rows by the name of the model, the chosen one first. */
  predictions: Record<'chosen' | 'mean' | 'linear regression', Float64Array>;
  importance: ReturnType<typeof importanceOf>;
  warnings: string[];
}

function report({
  input,
  options,
  choice,
  split,
  leaks,
  predictions,
  importance,
  warnings,
}: Measured): EvaluationReport {
  const actual = Float64Array.from(input.testRows, (row) => input.amounts[row] ?? 0);
  const { chosen, ...others } = predictions;
  const metrics = regressionFigures(actual, chosen, options.seed);
  const constant = metrics['r2'] === undefined ? ['r2 left out: all test rows have the same outcome'] : [];
  return {
    task: 'table',
    rows: input.amounts.length,
    test: actual.length,
    chosen: choice.tuned.settings,
    because: choice.reason,
    metrics,
    baselines: Object.fromEntries(
      Object.entries(others).map(([name, of]) => [name, regressionFigures(actual, of, options.seed)]),
    ),
    leaks,
    warnings: [...warnings, ...constant],
    details: {
      outcome: 'amount',
      validation: split.kind === 'later' ? 'later rows' : 'rows by seeded hash',
      importance,
    },
    plots: regressionPlots({ actual, predictions, importance, target: input.target }),
  };
}

function tooLittle(message: string): DomainError {
  return new DomainError('DATA_INSUFFICIENT', message);
}
