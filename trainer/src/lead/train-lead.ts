import { modelName } from '@sextant/artefacts';
import { type TableWords, trainTableScore } from '@sextant/training/table';
import type { TrainedModel } from '../publisher.js';
import { type LeadExample, settledExamples, toTableExamples } from './lead-example.js';

export interface LeadTrainingInput {
  tenantId: string;
  examples: readonly LeadExample[];
  /** How long after `at` a lead may take to be won. */
  horizonDays: number;
  dataSha256: string;
}

export interface LeadTrainingOptions {
  seed: number;
  now: Date;
  /** Path of the LightGBM library; null trains the logistic baseline alone. */
  lightGbm: string | null;
  /** `share` in [0, 1]. */
  onProgress: (share: number, step: string) => void;
}

const DAY_MS = 86_400_000;
const WORDS: TableWords = {
  examples: 'leads',
  positive: 'won',
  negative: 'lost',
  groups: 'customers',
  remedy: 'ingest lead_submitted and sales_outcome events, or wait until their horizon has passed',
  limitation:
    'A score describes leads like those it was learnt from; it says nothing on what a call or a message would change.',
};

/**
 * Lead score: what was known of a lead when its form came in, against whether it was won within the horizon. How the model is
 * chosen, calibrated and verified is that of every score (`trainTableScore`).
 *
 * @throws DomainError DATA_INSUFFICIENT naming counts and remedy, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainLead(
  input: LeadTrainingInput,
  options: LeadTrainingOptions,
): Promise<TrainedModel> {
  const { tenantId, horizonDays, dataSha256 } = input;
  const { seed, now, lightGbm, onProgress } = options;
  const { examples, notes } = settledExamples(input.examples, horizonDays, now);
  const trained = await trainTableScore(toTableExamples(examples), {
    seed,
    lightGbm,
    horizon: horizonDays * DAY_MS,
    words: WORDS,
    onProgress,
  });
  const { spec, onnx, metrics, baselineMetrics, card } = trained;
  return {
    draft: {
      model: modelName(tenantId, 'lead'),
      tenantId,
      trainedAt: now.toISOString(),
      seed,
      dataSha256,
      dataRows: examples.length,
      onnx: { opset: onnx.opset, inputs: onnx.inputs, outputs: onnx.outputs },
      metrics,
      baselineMetrics,
      warmUpBatchSizes: [1, 16, 64],
      spec: { task: 'lead', horizonDays, ...spec },
    },
    files: new Map([
      ['model.onnx', onnx.bytes],
      [spec.explainFile, new TextEncoder().encode(trained.explainer)],
    ]),
    card: {
      purpose: `Probability that a lead is won within ${horizonDays} days of its form, from what was known when the form came in.`,
      ...card,
      warnings: [...notes, ...card.warnings],
    },
  };
}
