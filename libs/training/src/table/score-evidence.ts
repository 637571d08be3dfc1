import { LEAKAGE_AUC, logLosses, pairedDifference } from '@sextant/learning';
import { measuredCalibrationError } from '@sextant/learning/calibration';
import { auditFairness } from '@sextant/learning/fairness';
import {
  baselineGate,
  calibrationGate,
  fairnessGate,
  fairnessSlices,
  leakGate,
  LEAST_GROUP_ROWS,
  type ModelEvidence,
} from '../gates/index.js';
import { columnImportance } from './column-importance.js';
import { countPositives, takeExamples, type TableExamples } from './table-examples.js';
import type { TrainedTableScore } from './train-table-score.js';

/** Groups of a protected trait; they need not be a column of the examples. */
export interface AuditedTrait {
  attribute: string;
  /** of each example, in their order */
  groups: readonly string[];
}

export interface ScoreEvidenceOptions {
  seed: number;
  /** as in training */
  horizon: number;
  /** plural, e.g. `leads` */
  words: string;
  audited: readonly AuditedTrait[];
}

const LEVEL = 0.95;

/**
 * What the gates of a score are made of, all on the validation rows, which no fit has seen.
 *
 * @param examples  the examples that the score was trained on
 */
export function scoreEvidence(
  trained: TrainedTableScore,
  examples: TableExamples,
  { seed, horizon, words, audited }: ScoreEvidenceOptions,
): ModelEvidence {
  const { split, choice, spec } = trained;
  const held = takeExamples(examples, split.validate);
  const { labels } = held;
  const { probabilities, losses, metrics } = choice.chosen;
  const rate = countPositives(labels) / labels.length;
  // The best constant there is, in hindsight: what a model must beat to be worth anything.
  const constant = logLosses(labels, new Float64Array(labels.length).fill(rate));
  const audits = audited.map(({ attribute, groups }) =>
    auditFairness(
      { attribute, groups: Array.from(split.validate, (row) => groups[row] ?? ''), labels, probabilities },
      { threshold: spec.bands.hot, seed, minRows: LEAST_GROUP_ROWS },
    ),
  );
  const rows = `${labels.length} ${split.kind === 'later' ? 'later' : 'held-out'} ${words}`;
  return {
    gates: [
      baselineGate({
        difference: pairedDifference(constant, losses, { seed, level: LEVEL }),
        metric: `log-loss on ${rows}`,
        over: 'the rate of all for everybody',
      }),
      calibrationGate(
        measuredCalibrationError({ labels, probabilities }, { seed, level: LEVEL }),
        labels.length,
      ),
      leakGate({
        leftOut: trained.leaked,
        alone: usedColumns(trained),
        auc: metrics.auc.value,
        mostAlone: LEAKAGE_AUC,
      }),
      fairnessGate(audits),
    ],
    probe: trained.probe,
    headline: { metric: 'auc', higherIsBetter: true },
    importance: importanceShares(trained, held),
    fairness: fairnessSlices(audits),
    heldOut: { table: held.table, labels, losses, knownAt: held.at.map((at) => at + horizon) },
  };
}

function usedColumns({ model, alone }: TrainedTableScore): Map<string, number> {
  const used = new Set(model.encoding.columns.map(({ column }) => column));
  return new Map([...alone].filter(([column]) => used.has(column)));
}

/** By column, summing to 1; nothing where no column moves the score. */
function importanceShares(trained: TrainedTableScore, held: TableExamples): Record<string, number> {
  const found = columnImportance(trained, held);
  const total = found.reduce((sum, { contribution }) => sum + contribution, 0);
  if (!(total > 0)) return {};
  return Object.fromEntries(found.map(({ column, contribution }) => [column, contribution / total]));
}
