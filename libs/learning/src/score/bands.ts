import { quantile } from '../metrics/bootstrap.js';

export type Band = 'COLD' | 'WARM' | 'HOT';

/** Lowest calibrated probability of each band. */
export interface Bands {
  warm: number;
  hot: number;
}

/** A lead is hot when its odds are at least this many times the odds of an average lead. */
const HOT_ODDS_RATIO = 3;

/**
 * Bands by odds against the average lead: warm at the average conversion rate, hot at three times its odds.
 * A model that separates nothing therefore calls nobody hot.
 *
 * @param rate  share of leads that convert, in (0, 1)
 */
export function chooseBands(rate: number): Bands {
  const odds = HOT_ODDS_RATIO * (rate / (1 - rate));
  return { warm: rate, hot: odds / (1 + odds) };
}

/** The band of a calibrated probability; thresholds are inclusive. */
export function bandOf(bands: Bands, probability: number): Band {
  if (probability >= bands.hot) return 'HOT';
  return probability >= bands.warm ? 'WARM' : 'COLD';
}

/** Percentiles 0..100 of scores, shape [101]; all 0 for no scores. */
export function scoreQuantiles(scores: ArrayLike<number>): number[] {
  const sorted = Float64Array.from(scores).sort();
  return Array.from({ length: 101 }, (_, percent) => quantile(sorted, percent / 100) ?? 0);
}

/**
 * Where a score stands among the scores that gave `quantiles`, 0..100, linear between percentiles;
 * among equal percentiles the middle one counts.
 */
export function percentileOf(quantiles: readonly number[], score: number): number {
  const last = quantiles.length - 1;
  const below = quantiles.filter((value) => value < score).length;
  const notAbove = quantiles.filter((value) => value <= score).length;
  if (notAbove > below) return (100 * (below + notAbove - 1)) / 2 / last;
  if (below === 0) return 0;
  if (below > last) return 100;
  const [low, high] = [quantiles[below - 1] ?? 0, quantiles[below] ?? 0];
  return (100 * (below - 1 + (score - low) / (high - low))) / last;
}
