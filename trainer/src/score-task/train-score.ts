import { MONITOR_FILE, modelName, type ScoreTask } from '@sextant/artefacts';
import { onnxDescription, onnxFiles } from '@sextant/onnx';
import { monitorFileOf } from '@sextant/training/monitor';
import {
  monitorTableScore,
  scoreEvidence,
  splitExamples,
  takeExamples,
  type TableExamples,
  type TrainedTableScore,
  trainTableScore,
} from '@sextant/training/table';
import type { TrainedModel } from '../publisher.js';
import { chooseColumns, type ColumnSet, withColumns } from './choose-columns.js';
import { auditedTraits, type ScoreExample, toTableExamples } from './score-example.js';
import { SCORE_WORDS } from './score-words.js';

export interface ScoreTrainingInput {
  tenantId: string;
  task: ScoreTask;
  /** in any order */
  examples: readonly ScoreExample[];
  /** how long after `at` the outcome may come */
  horizonDays: number;
  dataSha256: string;
  /** what the reader of the card should know about the examples */
  notes?: readonly string[];
  /** nested sets of columns to choose from; everything when absent */
  columnSets?: readonly ColumnSet[];
}

export interface ScoreTrainingOptions {
  seed: number;
  now: Date;
  /** Path of the LightGBM library; null trains the logistic baseline alone. */
  lightGbm: string | null;
  /** `share` in [0, 1]. */
  onProgress: (share: number, step: string) => void;
}

const DAY_MS = 86_400_000;

/**
 * A score of any task: what was known at an instant against what came of it within the horizon. How the model is chosen,
 * calibrated and verified is that of every table (`trainTableScore`).
 *
 * @throws DomainError DATA_INSUFFICIENT naming counts and remedy, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainScore(
  input: ScoreTrainingInput,
  options: ScoreTrainingOptions,
): Promise<TrainedModel> {
  const { tenantId, task, examples, horizonDays, dataSha256, notes = [] } = input;
  const { seed, now, lightGbm, onProgress } = options;
  const { purpose, ...words } = SCORE_WORDS[task];
  const [table, audited] = [toTableExamples(examples), auditedTraits(examples)];
  const horizon = horizonDays * DAY_MS;
  const columns = input.columnSets && columnsFor(table, input.columnSets, { seed, horizon });
  const learnt = columns ? withColumns(table, columns) : table;
  const trained = await trainTableScore(learnt, {
    seed,
    lightGbm,
    horizon,
    words,
    // A lead's form may hold fields that sales fill in later; features of a snapshot cannot.
    isPointInTime: task !== 'lead',
    onProgress,
  });
  return {
    draft: {
      model: modelName(tenantId, task),
      tenantId,
      trainedAt: now.toISOString(),
      seed,
      dataSha256,
      dataRows: examples.length,
      onnx: onnxDescription(trained.onnx),
      metrics: trained.metrics,
      baselineMetrics: trained.baselineMetrics,
      warmUpBatchSizes: [1, 16, 64],
      monitorFile: MONITOR_FILE,
      spec: { task, horizonDays, ...trained.spec },
    },
    files: filesOf(trained, learnt),
    card: { purpose: purpose(horizonDays), ...withNotes(trained.card, notes, columns) },
    evidence: scoreEvidence(trained, learnt, { seed, horizon, words: words.examples, audited }),
  };
}

function filesOf(trained: TrainedTableScore, learnt: TableExamples): TrainedModel['files'] {
  const { onnx, spec, explainer } = trained;
  return new Map([
    ...onnxFiles(onnx),
    [spec.explainFile, new TextEncoder().encode(explainer)],
    monitorFileOf(monitorTableScore(trained, learnt)),
  ]);
}

function withNotes(
  card: TrainedTableScore['card'],
  notes: readonly string[],
  columns: ColumnSet | null | undefined,
): TrainedTableScore['card'] {
  const learntFrom = columns ? ` Learnt from ${columns.name}.` : '';
  return { ...card, chosenBecause: card.chosenBecause + learntFrom, warnings: [...notes, ...card.warnings] };
}

/** Chosen on the examples before validation, so that the metrics stay honest. */
function columnsFor(
  table: TableExamples,
  sets: readonly ColumnSet[],
  { seed, horizon }: { seed: number; horizon: number },
): ColumnSet | null {
  if (table.labels.length === 0) return null;
  const { beforeValidation } = splitExamples(table, { seed, horizon });
  return chooseColumns(takeExamples(table, beforeValidation), sets, seed);
}
