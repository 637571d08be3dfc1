import { modelName, type ScoreTask } from '@sextant/artefacts';
import { onnxDescription, onnxFiles } from '@sextant/onnx';
import { trainTableScore } from '@sextant/training/table';
import type { TrainedModel } from '../publisher.js';
import { type ScoreExample, toTableExamples } from './score-example.js';
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
  const trained = await trainTableScore(toTableExamples(examples), {
    seed,
    lightGbm,
    horizon: horizonDays * DAY_MS,
    words,
    onProgress,
  });
  const { spec, onnx, metrics, baselineMetrics, card } = trained;
  return {
    draft: {
      model: modelName(tenantId, task),
      tenantId,
      trainedAt: now.toISOString(),
      seed,
      dataSha256,
      dataRows: examples.length,
      onnx: onnxDescription(onnx),
      metrics,
      baselineMetrics,
      warmUpBatchSizes: [1, 16, 64],
      spec: { task, horizonDays, ...spec },
    },
    files: new Map([...onnxFiles(onnx), [spec.explainFile, new TextEncoder().encode(trained.explainer)]]),
    card: { purpose: purpose(horizonDays), ...card, warnings: [...notes, ...card.warnings] },
  };
}
