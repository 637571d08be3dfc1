import { setImmediate } from 'node:timers/promises';
import { type Measured, modelName, MONITOR_FILE, type PriceSpec } from '@sextant/artefacts';
import { type DemandRow, demandTable, encodeTable, PRICE_COLUMN, PRODUCT_COLUMN } from '@sextant/learning';
import { writeExplainer } from '@sextant/learning/explain';
import { openLightGbm } from '@sextant/lightgbm';
import { onnxDescription, onnxFiles } from '@sextant/onnx';
import { monitorFileOf } from '@sextant/training/monitor';
import { contextDefaults, monitorPrice, trainDemand, type TrainedDemand } from '@sextant/training/price';
import { evidenceOf, type ModelEvidence, type ParityProbe } from '@sextant/training/gates';
import { verifiedForms } from '@sextant/training/runtime';
import type { TrainedModel } from '../publisher.js';
import { priceCard } from './price-card.js';
import { withEvidence } from './price-experiment.js';

export interface PriceTraining {
  tenantId: string;
  observations: readonly DemandRow[];
  /** SHA-256 of the training rows in order, hex. */
  dataSha256: string;
  dataRows: number;
  /** The period that `units` of an observation refer to; 1 day when absent. */
  unitsPeriodDays?: number;
}

export interface PriceTrainingOptions {
  seed: number;
  now: Date;
  /** Path of the LightGBM library; null trains the log-log regressions alone. */
  lightGbm: string | null;
  /** Share of the work done, in [0, 1], and what comes next; awaited. */
  onProgress?: (share: number, step: string) => void | Promise<void>;
}

const VERIFIED_ROWS = 1000;
const EXPLAIN_FILE = 'explain.json';

/**
 * Trains the demand model that quotes are searched on (`trainDemand`), writes it as ONNX and compares it with ONNX Runtime. Equal rows,
 * seed and `now` give equal files.
 *
 * @throws DomainError DATA_INSUFFICIENT below 30 observations or without a sale, INVALID_INPUT for a price that is not positive or
 *   negative units, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainPrice(input: PriceTraining, options: PriceTrainingOptions): Promise<TrainedModel> {
  const progress = async (share: number, step: string): Promise<void> => {
    await options.onProgress?.(share, step);
    await setImmediate();
  };
  await progress(0, 'splitting observations');
  const { lightGbm, notes } = await openLightGbm(options.lightGbm, 'only log-log regressions were trained');
  try {
    const evidenced = withEvidence(input.observations);
    const trained = await trainDemand(evidenced.rows, {
      seed: options.seed,
      lightGbm,
      evidence: evidenced.evidence,
      onProgress: progress,
    });
    await progress(0.9, 'comparing ONNX with the fitted model');
    return await handOver({ input: { ...input, observations: evidenced.rows }, options, trained, notes });
  } finally {
    await lightGbm?.close();
  }
}

interface HandOver {
  input: PriceTraining;
  options: PriceTrainingOptions;
  trained: TrainedDemand;
  notes: readonly string[];
}

async function handOver({ input, options, trained, notes }: HandOver): Promise<TrainedModel> {
  const { level, baseline } = trained;
  const { observations } = input;
  const sample = demandTable(observations.slice(-VERIFIED_ROWS));
  const rows = encodeTable(level.encoding, sample);
  const expected = level.logUnits(sample);
  const onnx = await verifiedForms(level.toOnnx(), rows, expected);
  const spec = specOf(input, trained);
  const explainer = writeExplainer(level.encoding, level.explained, { a: 1, b: 0 });
  await options.onProgress?.(1, 'price model trained');
  return {
    draft: {
      model: modelName(input.tenantId, 'price'),
      tenantId: input.tenantId,
      trainedAt: options.now.toISOString(),
      seed: options.seed,
      dataSha256: input.dataSha256,
      dataRows: input.dataRows,
      onnx: onnxDescription(onnx),
      metrics: measuredOf(trained),
      baselineMetrics: baseline,
      warmUpBatchSizes: [1, 64, 1024],
      monitorFile: MONITOR_FILE,
      spec,
    },
    files: new Map([
      ...onnxFiles(onnx),
      [EXPLAIN_FILE, new TextEncoder().encode(explainer)],
      monitorFileOf(monitorPrice({ encoding: level.encoding, explainer }, observations)),
    ]),
    card: priceCard({ observations, trained, spec, warnings: notes }),
    evidence: evidenceFor(trained, { input: rows, rows: sample.rows, expected, tolerance: 1e-5 }),
  };
}

function evidenceFor({ gain, choice }: TrainedDemand, probe: ParityProbe): ModelEvidence {
  const [metric = ''] = Object.keys(choice.chosen.metrics);
  return evidenceOf({
    gain,
    probe,
    headline: { metric, higherIsBetter: false },
    notCalibrated: 'the model forecasts units and gives no probability',
    notLeaking: 'price and context are known before the sale',
  });
}

/** Of what sells at the prices that occur and, where a quote follows another curve, of that. */
function measuredOf({ choice, curve, response }: TrainedDemand): Record<string, Measured> {
  const ofCurve = Object.entries(curve.metrics).map(([name, value]) => [`${name} of the price curve`, value]);
  return { ...choice.chosen.metrics, ...(response ? Object.fromEntries(ofCurve) : {}) };
}

function specOf({ observations, unitsPeriodDays = 1 }: PriceTraining, trained: TrainedDemand): PriceSpec {
  const { chosen } = trained.choice;
  return {
    task: 'price',
    table: trained.level.encoding,
    family: chosen.candidate.name,
    productColumn: PRODUCT_COLUMN,
    priceColumn: PRICE_COLUMN,
    residualSd: trained.curve.residualSd,
    smearing: trained.curve.smearing,
    unitsPeriodDays,
    priceRange: priceRanges(observations),
    elasticity: trained.elasticity,
    elasticityGivenContext: trained.elasticityGivenContext,
    ...(trained.response ? { priceResponse: trained.response } : {}),
    explainFile: EXPLAIN_FILE,
    contextDefaults: contextDefaults(observations),
  };
}

function priceRanges(rows: readonly DemandRow[]): PriceSpec['priceRange'] {
  const ranges: Record<string, [number, number]> = {};
  for (const { product, price } of rows) {
    const [low, high] = ranges[product] ?? [price, price];
    ranges[product] = [Math.min(low, price), Math.max(high, price)];
  }
  return ranges;
}
