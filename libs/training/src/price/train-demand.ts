import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  demandFamilyOf,
  type DemandFamily,
  type DemandRow,
  demandTable,
  fitDemandModel,
  pairedDifference,
} from '@sextant/learning';
import { demandLine, type PriceResponse } from '@sextant/learning/price';
import type { LightGbmProcess } from '@sextant/lightgbm';
import type { Gain } from '../gates/index.js';
import {
  chooseDemand,
  type DemandChoice,
  type DemandQuality,
  type JudgedDemand,
  judgeBaseline,
  judgeDemand,
  type Judging,
  judgeLogUnitsOf,
} from './choose-demand.js';
import { type FittedDemand, logLogCandidate } from './demand-candidate.js';
import { type DemandSplit, splitDemand } from './demand-split.js';
import { lightGbmDemand } from './lightgbm-demand.js';
import {
  type CausalElasticity,
  causalElasticity,
  type PriceEvidence,
  priceResponse,
} from './price-evidence.js';

export interface DemandTrainingOptions {
  seed: number;
  /** Null trains the log-log regressions alone. */
  lightGbm: LightGbmProcess | null;
  /** What tells causes; null where prices were only observed. */
  evidence?: PriceEvidence | null;
  /** Share of the work done, in [0, 1], and what comes next; awaited. */
  onProgress?: (share: number, step: string) => void | Promise<void>;
}

/** A demand model chosen and fitted on all rows, with what quotes need to move a price. */
export interface TrainedDemand {
  family: DemandFamily;
  split: DemandSplit;
  choice: DemandChoice;
  /** Falls in the price by its form, except where a log-log regression gives single products a rising curve. */
  level: FittedDemand;
  /** How a moved price changes it; null where the level itself falls everywhere and nothing better is known. */
  response: PriceResponse | null;
  /** How the curve that quotes are searched on does on the validation rows; that of the level where there is no response. */
  curve: DemandQuality;
  causal: CausalElasticity;
  /** As observed, whatever comes with a price counting towards it. */
  elasticity: Record<string, Measured>;
  commonElasticity: Measured;
  /** With context held fixed. */
  elasticityGivenContext: Record<string, Measured>;
  baseline: Record<string, Measured>;
  /** Of the chosen model over the mean of each product, on the validation rows. */
  gain: Gain;
}

const MIN_OBSERVATIONS = 30;

/** What sells at the prices that occur. */
export interface DemandForecast {
  choice: DemandChoice;
  fitted: FittedDemand;
}

/**
 * Chooses the demand model that prices are moved on, on later rows, and fits it on all: the simplest among models that fall in the price unless
 * another is better beyond noise. Where an experiment or instrument tells elasticities, or the winner lets a product sell more when
 * it is dearer, the curve is the level at the usual prices moved along an elasticity that is not positive.
 *
 * @throws DomainError DATA_INSUFFICIENT below 30 rows or without a sale, INVALID_INPUT for a price that is not positive or negative
 *   units, and what `causalElasticity` throws
 */
export async function trainDemand(
  rows: readonly DemandRow[],
  options: DemandTrainingOptions,
): Promise<TrainedDemand> {
  if (rows.length < MIN_OBSERVATIONS || rows.every(({ units }) => units === 0)) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `${rows.length} observations of sales at a price, with at least one sale among them: a price model needs ${MIN_OBSERVATIONS}; ingest orders with unit prices, or sale_observed events`,
    );
  }
  const family = demandFamilyOf(rows);
  const split = splitDemand(rows);
  const observed = fitDemandModel(rows, family, 'price');
  const causal = causalElasticity(rows, observed, options.evidence ?? null);
  const choice = await chooseAmong({ family, split, options });
  await options.onProgress?.(0.7, 'fitting on all observations');
  const level = await choice.chosen.candidate.fit(rows);
  const bare = fitDemandModel(rows, family, 'price-without-context');
  const baseline = judgeBaseline({ split, family, seed: options.seed });
  const mayMovePrices = fallsEverywhere(choice, level) && causal.basis === 'observed';
  return {
    family,
    split,
    choice,
    level,
    response: mayMovePrices ? null : priceResponse(rows, causal),
    curve: mayMovePrices
      ? choice.chosen
      : curveQuality(choice, causal, { split, family, seed: options.seed }),
    causal,
    elasticity: bare.elasticity,
    commonElasticity: bare.commonElasticity,
    elasticityGivenContext: observed.elasticity,
    baseline: baseline.metrics,
    gain: gainOf(choice.chosen, baseline, options.seed),
  };
}

function gainOf({ losses, candidate }: JudgedDemand, baseline: DemandQuality, seed: number): Gain {
  return {
    difference: pairedDifference(baseline.losses, losses, { seed, level: 0.95 }),
    metric: `loss of ${candidate.name} on ${losses.length} later observations`,
    over: 'the mean of each product',
  };
}

/** Log units that a quote expects when it sets the price of each row, shape [rows]; never rises with the price. */
export function curveLogUnits(
  { level, response }: { level: FittedDemand; response: PriceResponse | null },
  rows: readonly DemandRow[],
): Float64Array {
  const lines = rows.map(({ product, price }) => demandLine(response ?? undefined, product, [price]));
  const asked = rows.flatMap((row, i) => (lines[i]?.asked ?? []).map((price) => ({ ...row, price })));
  const levels = level.logUnits(demandTable(asked));
  let offset = 0;
  return Float64Array.from(lines, (line, i) => {
    const own = levels.subarray(offset, (offset += line.asked.length));
    return line.logUnitsAt(own, rows[i]?.price ?? 1);
  });
}

/** The curve of a response learned from the earlier rows, judged on the validation rows. */
function curveQuality(choice: DemandChoice, causal: CausalElasticity, judging: Judging): DemandQuality {
  const { train, validate } = judging.split;
  const earlier = fitDemandModel(train, judging.family, 'price');
  const elasticities =
    causal.basis === 'observed'
      ? { basis: causal.basis, byProduct: earlier.elasticity, other: earlier.commonElasticity }
      : causal;
  const response = priceResponse(train, elasticities);
  return judgeLogUnitsOf(curveLogUnits({ level: choice.chosen.fitted, response }, validate), judging);
}

/**
 * The forecast of what sells at the prices that occur. It may use the price as information about the occasion (a store, a promotion), so a model that
 * is free in the price is tried as well; it says nothing about moving a price. Without LightGBM it is the model of the quotes.
 */
export async function trainForecast(
  rows: readonly DemandRow[],
  trained: TrainedDemand,
  options: Pick<DemandTrainingOptions, 'seed' | 'lightGbm'>,
): Promise<DemandForecast> {
  const { choice, family, split, level } = trained;
  const { seed, lightGbm } = options;
  if (lightGbm === null) return { choice, fitted: level };
  const candidate = await lightGbmDemand(split.train, { lightGbm, family, seed, shape: 'free' });
  const free = await judgeDemand(candidate, { split, family, seed });
  const { chosen, reasons } = chooseDemand([choice.chosen, free], seed);
  const isFree = chosen === free;
  return {
    choice: { chosen, reasons: [...choice.reasons, ...reasons] },
    fitted: isFree ? await candidate.fit(rows) : level,
  };
}

/** A log-log regression may give single products a rising curve; LightGBM falling in the price never does. */
function fallsEverywhere({ chosen: { candidate } }: DemandChoice, level: FittedDemand): boolean {
  if (candidate.name === 'lightgbm') return true;
  const [, effect] = level.encoding.columns;
  return (
    effect?.kind === 'lookup' && [...Object.values(effect.values), effect.other].every((value) => value <= 0)
  );
}

interface Choosing {
  family: DemandFamily;
  split: DemandSplit;
  options: DemandTrainingOptions;
}

/** Candidates from simple to complex, each fitted on the earlier rows and judged on the others. */
async function chooseAmong({ family, split, options }: Choosing): Promise<DemandChoice> {
  const { seed, lightGbm } = options;
  const judging = { split, family, seed };
  await options.onProgress?.(0.05, 'fitting log-log regressions');
  const simple = await judgeDemand(
    logLogCandidate(family, 'price', 'log-log regression with a level and an elasticity by product'),
    judging,
  );
  const judged: [JudgedDemand, ...JudgedDemand[]] = [
    simple,
    await judgeDemand(
      logLogCandidate(
        family,
        'price-and-context',
        'log-log regression with effects of numeric context by product as well',
      ),
      judging,
    ),
  ];
  if (lightGbm === null) return chooseDemand(judged, seed);
  await options.onProgress?.(0.3, 'fitting LightGBM');
  const trees = await lightGbmDemand(split.train, { lightGbm, family, seed, shape: 'falling' });
  judged.push(await judgeDemand(trees, judging));
  return chooseDemand(judged, seed);
}
