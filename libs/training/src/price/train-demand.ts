import type { Measured, PriceSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  demandFamilyOf,
  type DemandFamily,
  type DemandRow,
  demandTable,
  fitDemandModel,
} from '@sextant/learning';
import type { LightGbmProcess } from '@sextant/lightgbm';
import {
  baselineMetrics,
  chooseDemand,
  type DemandChoice,
  type JudgedDemand,
  judgeDemand,
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
  /** What sells at the prices that occur. */
  level: FittedDemand;
  /** How a moved price changes it; null where the level itself falls in the price and nothing better is known. */
  response: NonNullable<PriceSpec['priceResponse']> | null;
  causal: CausalElasticity;
  /** As observed, whatever comes with a price counting towards it. */
  elasticity: Record<string, Measured>;
  commonElasticity: Measured;
  /** With context held fixed. */
  elasticityGivenContext: Record<string, Measured>;
  baseline: Record<string, Measured>;
}

const MIN_OBSERVATIONS = 30;

/**
 * Chooses a demand model on later rows and fits it on all. Two questions, two parts: *what will sell* at the prices that occur may use the price as
 * information about the occasion, so the most exact model wins (the simplest unless another is better beyond noise); *what a
 * moved price does* must be a falling curve. Where the winner falls in the price it answers both; where a free one wins, or an
 * experiment or instrument tells elasticities, the curve is the level at the usual price times a constant elasticity.
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
  const mayMovePrices = fallsEverywhere(choice, level) && causal.basis === 'observed';
  return {
    family,
    split,
    choice,
    level,
    response: mayMovePrices ? null : priceResponse(rows, causal),
    causal,
    elasticity: bare.elasticity,
    commonElasticity: bare.commonElasticity,
    elasticityGivenContext: observed.elasticity,
    baseline: baselineMetrics({ split, family, seed: options.seed }),
  };
}

/** Log units that a quote expects when it sets the price of each row, shape [rows]; never rises with the price. */
export function curveLogUnits(
  { level, response }: Pick<TrainedDemand, 'level' | 'response'>,
  rows: readonly DemandRow[],
): Float64Array {
  if (response === null) return level.logUnits(demandTable(rows));
  const anchors = rows.map(({ product, price }) => response.reference[product] ?? price);
  const base = level.logUnits(
    demandTable(rows.map((row, i) => ({ ...row, price: anchors[i] ?? row.price }))),
  );
  return base.map((value, i) => {
    const row = rows[i];
    const elasticity = response.elasticity[row?.product ?? ''] ?? response.otherElasticity;
    return value + elasticity * Math.log((row?.price ?? 1) / (anchors[i] ?? 1));
  });
}

/** A log-log regression may give single products a rising curve; LightGBM falling in the price never does. */
function fallsEverywhere({ chosen: { candidate } }: DemandChoice, level: FittedDemand): boolean {
  if (candidate.shape === 'free') return false;
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
  for (const [share, shape] of [
    [0.3, 'falling'],
    [0.5, 'free'],
  ] as const) {
    await options.onProgress?.(
      share,
      `fitting LightGBM, ${shape === 'free' ? 'free' : 'falling'} in the price`,
    );
    const candidate = await lightGbmDemand(split.train, { lightGbm, family, seed, shape });
    judged.push(await judgeDemand(candidate, judging));
  }
  return chooseDemand(judged, seed);
}
