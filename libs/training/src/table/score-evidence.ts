import type { Gate } from '@sextant/artefacts';
import { LEAKAGE_AUC, logLosses, pairedDifference } from '@sextant/learning';
import { checkCalibration, measuredCalibrationError } from '@sextant/learning/calibration';
import { auditGroups } from '@sextant/learning/fairness';
import {
  calibrationGate,
  type Discrimination,
  discriminationGate,
  fairnessGate,
  fairnessSlices,
  leakGate,
  type ModelEvidence,
  type TraitAudit,
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
  const held = takeExamples(examples, trained.split.validate);
  const { losses } = trained.choice.chosen;
  const audits = auditsOf(trained, held, audited);
  return {
    gates: [
      discriminationGate(discriminationOf(trained, held, { seed, words })),
      calibration(trained, held, seed),
      leakGate({
        leftOut: trained.leaked,
        alone: usedColumns(trained),
        auc: trained.choice.chosen.metrics.auc.value,
        mostAlone: LEAKAGE_AUC,
      }),
      fairnessGate(audits),
    ],
    probe: trained.probe,
    headline: { metric: 'auc', higherIsBetter: true },
    importance: importanceShares(trained, held),
    fairness: fairnessSlices(audits),
    heldOut: {
      table: held.table,
      labels: held.labels,
      losses,
      knownAt: held.at.map((at) => at + horizon),
    },
  };
}

/** Beside the best constant there is, in hindsight: what a model must beat to be worth anything. */
function discriminationOf(
  { split, choice }: TrainedTableScore,
  { labels }: TableExamples,
  { seed, words }: { seed: number; words: string },
): Discrimination {
  const { metrics, losses } = choice.chosen;
  const constant = new Float64Array(labels.length).fill(countPositives(labels) / labels.length);
  return {
    auc: metrics.auc,
    logLossGain: pairedDifference(logLosses(labels, constant), losses, { seed, level: LEVEL }),
    rows: `${labels.length} ${split.kind === 'later' ? 'later' : 'held-out'} ${words}`,
  };
}

function calibration({ choice }: TrainedTableScore, { labels }: TableExamples, seed: number): Gate {
  const { probabilities } = choice.chosen;
  const error = measuredCalibrationError({ labels, probabilities }, { seed, level: LEVEL });
  return calibrationGate(error, checkCalibration({ labels, probabilities }, error.value), labels.length);
}

/** Who is in the highest band counts as selected. */
function auditsOf(
  { split, choice, spec }: TrainedTableScore,
  { labels }: TableExamples,
  audited: readonly AuditedTrait[],
): TraitAudit[] {
  const { probabilities } = choice.chosen;
  return audited.map(({ attribute, groups: ofAll }) => {
    const groups = Array.from(split.validate, (row) => ofAll[row] ?? '');
    return { attribute, groups: auditGroups({ attribute, groups, labels, probabilities }, spec.bands.hot) };
  });
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
