import { availableParallelism } from 'node:os';
import { type ScoreSpec, type ModelCard, modelName } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { applyPlatt, encodeTable, fitTableEncoder, writeExplainer } from '@sextant/learning';
import { type LightGbmProcess, openLightGbm } from '@sextant/lightgbm';
import { verifyOnnx } from '@sextant/training/runtime';
import type { TrainedModel } from '../publisher.js';
import { type LeadCalibration, calibrateLeadModel } from './calibrate-lead-model.js';
import { type Choice, chooseFamily, evaluateFamily } from './choose-family.js';
import { leadCard } from './lead-card.js';
import {
  countPositives,
  type LeadData,
  type LeadExample,
  settledExamples,
  takeLeads,
  toLeadData,
} from './lead-example.js';
import type { FittedLeadModel } from './lead-model.js';
import { type LeadSplit, splitLeads } from './lead-split.js';
import { lightGbmFamily } from './lightgbm-family.js';
import { logisticFamily } from './logistic-family.js';

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
const MIN_EXAMPLES = 50;
const MIN_OF_A_CLASS = 10;
const VERIFIED_ROWS = 1000;
/** A core stays free: LightGBM's threads wait for each other, and one that has no core makes all of them slow. */
const THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));
const EXPLAIN_FILE = 'explain.json';

/**
 * Lead score: a logistic baseline and LightGBM, the simpler kept unless the other is better beyond noise on validation rows (later
 * ones where the examples have times), fitted again on all examples, calibrated on out-of-fold margins, written as ONNX and compared
 * with ONNX Runtime before it is handed over. The same examples and seed give the same files.
 *
 * @throws DomainError DATA_INSUFFICIENT naming counts and remedy, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainLead(
  input: LeadTrainingInput,
  options: LeadTrainingOptions,
): Promise<TrainedModel> {
  const { examples, notes } = settledExamples(input.examples, input.horizonDays, options.now);
  const data = toLeadData(examples);
  checkEnough(data);
  options.onProgress(0.02, 'splitting examples');
  const split = splitLeads(data, { seed: options.seed, horizonMs: input.horizonDays * DAY_MS });
  const checked = checkColumns(data, split);
  const { lightGbm, notes: libraryNotes } = await openLightGbm(
    options.lightGbm,
    'only the linear baseline was trained',
  );
  try {
    const choice = await choose({
      data,
      split,
      exclude: checked.leaked,
      lightGbm,
      options,
    });
    options.onProgress(0.6, 'calibrating');
    const rows = split.kind === 'later' ? split.validate : Array.from(data.labels.keys());
    const calibration = await calibrateLeadModel(choice.chosen.tuned, data, { rows, seed: options.seed });
    options.onProgress(0.85, 'fitting on all examples');
    const model = await choice.chosen.tuned.fit(data);
    const warnings = [...notes, ...libraryNotes, ...split.notes, ...checked.warnings];
    return await handOver({ input, options, data, split, choice, calibration, model, warnings });
  } finally {
    await lightGbm?.close();
  }
}

function checkEnough({ labels }: LeadData): void {
  const positives = countPositives(labels);
  const negatives = labels.length - positives;
  if (labels.length >= MIN_EXAMPLES && Math.min(positives, negatives) >= MIN_OF_A_CLASS) return;
  throw new DomainError(
    'DATA_INSUFFICIENT',
    `${labels.length} leads with a known outcome, ${positives} won and ${negatives} lost: a lead model needs at least ${MIN_EXAMPLES}, with ${MIN_OF_A_CLASS} won and ${MIN_OF_A_CLASS} lost; ingest lead_submitted and sales_outcome events, or wait until their horizon has passed`,
  );
}

/** What is wrong with the columns, seen on the rows before validation; leaking columns are left out of every fit. */
function checkColumns(data: LeadData, split: LeadSplit): { leaked: string[]; warnings: string[] } {
  const { table, labels } = takeLeads(data, split.beforeValidation);
  const { leaked, warnings } = fitTableEncoder(table, { purpose: 'linear', labels });
  const usable = fitTableEncoder(takeLeads(data, split.fit).table, { purpose: 'trees', exclude: leaked });
  if (usable.encoding.columns.length > 0) return { leaked, warnings };
  throw new DomainError(
    'DATA_INSUFFICIENT',
    `no column of the ${data.labels.length} leads can be learnt from (${warnings.join('; ') || 'there is none'}); send fields that differ between leads`,
  );
}

interface ChoiceInput {
  data: LeadData;
  split: LeadSplit;
  exclude: readonly string[];
  lightGbm: LightGbmProcess | null;
  options: LeadTrainingOptions;
}

async function choose({ data, split, exclude, lightGbm, options }: ChoiceInput): Promise<Choice> {
  const { seed, onProgress } = options;
  onProgress(0.05, 'fitting the logistic baseline');
  const baseline = await evaluateFamily(logisticFamily(exclude), data, { split, seed });
  if (lightGbm === null) {
    return {
      chosen: baseline,
      baseline,
      reason: 'no other model was trained, for LightGBM is not available',
    };
  }
  onProgress(0.2, 'fitting LightGBM');
  const family = lightGbmFamily({ lightGbm, exclude, seed, threads: THREADS });
  const other = await evaluateFamily(family, data, { split, seed });
  const rows = `${split.validate.length} ${split.kind === 'later' ? 'later' : 'held-out'} leads`;
  return chooseFamily(baseline, other, { seed, rows });
}

interface HandOver {
  input: LeadTrainingInput;
  options: LeadTrainingOptions;
  data: LeadData;
  split: LeadSplit;
  choice: Choice;
  calibration: LeadCalibration;
  model: FittedLeadModel;
  warnings: string[];
}

async function handOver(parts: HandOver): Promise<TrainedModel> {
  const { input, options, data, choice, calibration, model } = parts;
  const { platt, ...served } = calibration;
  const onnx = model.toOnnx(platt);
  options.onProgress(0.95, 'comparing ONNX with the fitted model');
  await verifyAgainstFitted(onnx.bytes, parts);
  const spec: ScoreSpec = {
    task: 'lead',
    table: model.encoding,
    family: choice.chosen.tuned.name,
    explainFile: EXPLAIN_FILE,
    ...served,
    horizonDays: input.horizonDays,
  };
  const explainer = writeExplainer(model.encoding, model.explained, platt);
  options.onProgress(1, 'done');
  return {
    draft: {
      model: modelName(input.tenantId, 'lead'),
      tenantId: input.tenantId,
      trainedAt: options.now.toISOString(),
      seed: options.seed,
      dataSha256: input.dataSha256,
      dataRows: data.labels.length,
      onnx: { opset: onnx.opset, inputs: onnx.inputs, outputs: onnx.outputs },
      metrics: choice.chosen.metrics,
      baselineMetrics: choice.baseline.metrics,
      warmUpBatchSizes: [1, 16, 64],
      spec,
    },
    files: new Map([
      ['model.onnx', onnx.bytes],
      [EXPLAIN_FILE, new TextEncoder().encode(explainer)],
    ]),
    card: cardOf(parts),
  };
}

function cardOf(parts: HandOver): ModelCard {
  const features = parts.model.encoding.columns.map(({ column }) => column);
  return leadCard({ ...parts, features, horizonDays: parts.input.horizonDays });
}

async function verifyAgainstFitted(onnx: Uint8Array, { data, model, calibration }: HandOver): Promise<void> {
  const latest = Array.from(data.labels.keys()).slice(-VERIFIED_ROWS);
  const { table } = takeLeads(data, latest);
  const expected = model.margins(table).map((margin) => applyPlatt(calibration.platt, margin));
  await verifyOnnx(onnx, encodeTable(model.encoding, table), expected);
}
