import { setImmediate } from 'node:timers/promises';
import { modelName, type PriceSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  demandFamilyOf,
  type DemandFamily,
  type DemandRow,
  demandTable,
  encodeTable,
  fitDemandModel,
  PRICE_COLUMN,
  PRODUCT_COLUMN,
  writeExplainer,
} from '@sextant/learning';
import { type LightGbmProcess, openLightGbm } from '@sextant/lightgbm';
import { verifyOnnx } from '@sextant/training/runtime';
import type { TrainedModel } from '../publisher.js';
import { baselineMetrics, chooseDemand, type DemandChoice, judgeDemand } from './choose-demand.js';
import { contextDefaults } from './context-defaults.js';
import { type FittedDemand, logLogCandidate } from './demand-candidate.js';
import { type DemandSplit, splitDemand } from './demand-split.js';
import { lightGbmDemand } from './lightgbm-demand.js';
import { priceCard } from './price-card.js';

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

/** What a run works on. */
interface Run {
  input: PriceTraining;
  options: PriceTrainingOptions;
  family: DemandFamily;
  split: DemandSplit;
  progress: (share: number, step: string) => Promise<void>;
}

const MIN_OBSERVATIONS = 30;
const VERIFIED_ROWS = 1000;
const EXPLAIN_FILE = 'explain.json';

/**
 * Trains the demand model that quotes are searched on: log-log regressions with shrunken effects by product and, where the library
 * is there, LightGBM falling in the price; the simplest is kept unless another is better beyond noise on validation rows (later ones where there
 * are times), fitted again on all observations, written as ONNX and compared with ONNX Runtime. Equal rows, seed and `now` give equal files.
 *
 * @throws DomainError DATA_INSUFFICIENT below 30 observations or without a sale, INVALID_INPUT for a price that is not positive or
 *   negative units, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainPrice(input: PriceTraining, options: PriceTrainingOptions): Promise<TrainedModel> {
  const { observations } = input;
  if (observations.length < MIN_OBSERVATIONS || observations.every(({ units }) => units === 0)) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `${observations.length} observations of sales at a price, with at least one sale among them: a price model needs ${MIN_OBSERVATIONS}; ingest orders with unit prices, or sale_observed events`,
    );
  }
  const progress = async (share: number, step: string): Promise<void> => {
    await options.onProgress?.(share, step);
    await setImmediate();
  };
  const run: Run = {
    input,
    options,
    progress,
    family: demandFamilyOf(observations),
    split: splitDemand(observations),
  };
  await progress(0, 'splitting observations');
  const { lightGbm, notes: warnings } = await openLightGbm(
    options.lightGbm,
    'only log-log regressions were trained',
  );
  try {
    const choice = await chooseAmong(run, lightGbm);
    await progress(0.7, 'fitting on all observations');
    const fitted = await choice.chosen.candidate.fit(observations);
    return await handOver(run, { choice, fitted, warnings });
  } finally {
    await lightGbm?.close();
  }
}

/** Candidates from simple to complex, each fitted on the earlier rows and judged on the others. */
async function chooseAmong(
  { family, split, options, progress }: Run,
  lightGbm: LightGbmProcess | null,
): Promise<DemandChoice> {
  const { seed } = options;
  const judging = { split, family, seed };
  await progress(0.05, 'fitting log-log regressions');
  const simple = await judgeDemand(
    logLogCandidate(family, 'price', 'log-log regression with a level and an elasticity by product'),
    judging,
  );
  const rich = await judgeDemand(
    logLogCandidate(
      family,
      'price-and-context',
      'log-log regression with effects of numeric context by product as well',
    ),
    judging,
  );
  if (lightGbm === null) return chooseDemand([simple, rich], seed);
  await progress(0.3, 'fitting LightGBM');
  const trees = await judgeDemand(await lightGbmDemand(split.train, { lightGbm, family, seed }), judging);
  return chooseDemand([simple, rich, trees], seed);
}

interface HandOver {
  choice: DemandChoice;
  fitted: FittedDemand;
  warnings: readonly string[];
}

async function handOver(run: Run, { choice, fitted, warnings }: HandOver): Promise<TrainedModel> {
  const { input, options, family, split, progress } = run;
  const { chosen } = choice;
  const { bytes, ...onnx } = fitted.toOnnx();
  await progress(0.9, 'comparing ONNX with the fitted model');
  const sample = demandTable(input.observations.slice(-VERIFIED_ROWS));
  await verifyOnnx(bytes, encodeTable(fitted.encoding, sample), fitted.logUnits(sample));
  const spec = specOf(run, choice, fitted);
  const baseline = baselineMetrics({ split, family, seed: options.seed });
  const explainer = writeExplainer(fitted.encoding, fitted.explained, { a: 1, b: 0 });
  await progress(1, 'price model trained');
  return {
    draft: {
      model: modelName(input.tenantId, 'price'),
      tenantId: input.tenantId,
      trainedAt: options.now.toISOString(),
      seed: options.seed,
      dataSha256: input.dataSha256,
      dataRows: input.dataRows,
      onnx,
      metrics: chosen.metrics,
      baselineMetrics: baseline,
      warmUpBatchSizes: [1, 64, 1024],
      spec,
    },
    files: new Map([
      ['model.onnx', bytes],
      [EXPLAIN_FILE, new TextEncoder().encode(explainer)],
    ]),
    card: priceCard({ observations: input.observations, split, family, choice, baseline, spec, warnings }),
  };
}

function specOf({ input, family }: Run, { chosen }: DemandChoice, fitted: FittedDemand): PriceSpec {
  const { observations } = input;
  return {
    task: 'price',
    table: fitted.encoding,
    family: chosen.candidate.name,
    productColumn: PRODUCT_COLUMN,
    priceColumn: PRICE_COLUMN,
    residualSd: chosen.residualSd,
    smearing: chosen.smearing,
    unitsPeriodDays: input.unitsPeriodDays ?? 1,
    priceRange: priceRanges(observations),
    elasticity: fitDemandModel(observations, family, 'price-without-context').elasticity,
    elasticityGivenContext: fitDemandModel(observations, family, 'price').elasticity,
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
