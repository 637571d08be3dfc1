import { DomainError } from '@sextant/domain';
import { type CalibrationCheck, checkCalibration } from '@sextant/learning/calibration';
import { auditFairness, type FairnessAudit } from '@sextant/learning/fairness';
import { openLightGbm } from '@sextant/lightgbm';
import type { EvaluationReport } from '../evaluation/index.js';
import { type Baselines, baselinesOf } from './baselines.js';
import { countPositives, takeExamples, type TableExamples } from './table-examples.js';
import { tableFigures } from './table-figures.js';
import { columnImportance } from './column-importance.js';
import { calibrationRows, tablePlots } from './table-plots.js';
import { rowWarnings } from './table-warnings.js';
import { type TrainedTableScore, trainTableScore } from './train-table-score.js';

export interface TableEvaluationInput {
  /** All rows with a known outcome, training and test. Rows in order of time have ascending `at`. */
  examples: TableExamples;
  /** Row numbers that no choice sees. */
  testRows: readonly number[];
  /** Columns by which the score is audited, with the group of each row in `examples`; missing cells are a group. */
  protectedColumns: readonly { attribute: string; groups: readonly string[] }[];
}

export interface TableEvaluationOptions {
  seed: number;
  /** Path of the LightGBM library; null trains the logistic baseline alone. */
  lightGbm: string | null;
  /** Rows are selected from this probability on, in the audit. */
  threshold: number;
  /** Columns that stay in although they look as if they gave the outcome away. */
  keep?: readonly string[];
}

const MIN_TEST_ROWS = 20;

/**
 * Trains on the rows that are no test rows exactly as a score is trained for serving, and measures on the test rows.
 *
 * @throws DomainError DATA_INSUFFICIENT where training or test rows are too few, TRAINING_FAILED when the written model differs from
 *         the fitted one
 */
export async function evaluateTable(
  input: TableEvaluationInput,
  options: TableEvaluationOptions,
): Promise<EvaluationReport> {
  const { examples } = input;
  const isTest = new Set(input.testRows);
  const trainRows = Array.from(examples.labels.keys()).filter((row) => !isTest.has(row));
  const train = takeExamples(examples, trainRows);
  const test = takeExamples(examples, input.testRows);
  checkTestRows(test);
  const trained = await trainTableScore(train, {
    ...options,
    horizon: 0,
    words: {
      examples: 'rows',
      positive: 'positive',
      negative: 'negative',
      groups: 'groups',
      remedy: 'give more rows, or a smaller test share with --split',
      limitation: 'A score describes rows like those it was learnt from.',
    },
  });
  const { lightGbm } = await openLightGbm(options.lightGbm, 'only the linear baseline was trained');
  try {
    const exclude = trained.leaked;
    const baselines = await baselinesOf({ train, test, exclude, lightGbm, seed: options.seed });
    return report({ input, options, trainRows, train, test, trained, baselines });
  } finally {
    await lightGbm?.close();
  }
}

interface Evaluated {
  input: TableEvaluationInput;
  options: TableEvaluationOptions;
  trainRows: number[];
  train: TableExamples;
  test: TableExamples;
  trained: TrainedTableScore;
  baselines: Baselines;
}

function report(evaluated: Evaluated): EvaluationReport {
  const { input, options, train, test, trained, baselines } = evaluated;
  const { labels } = test;
  const probabilities = trained.probabilities(test.table);
  const metrics = tableFigures(labels, probabilities, options.seed);
  const fairness = fairnessAudits(evaluated, probabilities);
  const check = checkCalibration({ labels, probabilities }, metrics['ece']?.value ?? 0);
  const importance = columnImportance(trained, test);
  const calibration = calibrationRows(labels, probabilities);
  const measured = Object.entries(baselines).map(
    ([name, scores]) => [name, tableFigures(labels, scores, options.seed)] as const,
  );
  return {
    task: 'table',
    rows: input.examples.labels.length,
    test: labels.length,
    chosen: trained.choice.chosen.tuned.settings,
    because: trained.choice.reason,
    metrics,
    baselines: Object.fromEntries(measured),
    leaks: trained.leaked,
    warnings: [...warningsOf(evaluated, check), ...fairness.flatMap(({ flags }) => flags)],
    details: {
      rates: { train: rateOf(train), test: rateOf(test) },
      validation: trained.split.kind === 'later' ? 'later rows' : 'rows by seeded hash',
      calibration: { chosen: trained.calibration.reason, ...check, table: calibration },
      importance,
      fairness,
    },
    plots: tablePlots({
      labels,
      probabilities: { chosen: probabilities, ...baselines },
      importance,
      calibration,
    }),
  };
}

function warningsOf({ input, trainRows, trained }: Evaluated, check: CalibrationCheck): string[] {
  const ofRows = rowWarnings(input.examples, trainRows, input.testRows);
  return [...trained.card.warnings, ...ofRows, ...(check.warning === null ? [] : [check.warning])];
}

function rateOf({ labels }: TableExamples): number {
  return countPositives(labels) / labels.length;
}

function checkTestRows({ labels }: TableExamples): void {
  const positives = countPositives(labels);
  if (labels.length >= MIN_TEST_ROWS && positives > 0 && positives < labels.length) return;
  throw new DomainError(
    'DATA_INSUFFICIENT',
    `${labels.length} test rows, ${positives} of them positive: at least ${MIN_TEST_ROWS} with both outcomes are needed; choose another --split or give more rows`,
  );
}

function fairnessAudits({ input, options, test }: Evaluated, probabilities: Float64Array): FairnessAudit[] {
  return input.protectedColumns.map(({ attribute, groups }) =>
    auditFairness(
      {
        attribute,
        groups: input.testRows.map((row) => groups[row] || '(missing)'),
        labels: test.labels,
        probabilities,
      },
      { threshold: options.threshold, seed: options.seed },
    ),
  );
}
