import type { LeadScore } from '@sextant/inference-protocol';

/** How much the true odds may be above or below those of a rule. */
const UNSURE_FACTOR = 5;
const INTERVAL_LEVEL = 0.8;
/** Percentile of the middle of a band, when a tenth is in the highest and two tenths are in the middle one. */
const PERCENTILES = [30, 75, 95] as const;

/** Three bands by their lowest probabilities, from low to high. */
export interface RoughBands {
  names: readonly [string, string, string];
  /** lowest probability of the middle and of the highest band */
  from: readonly [number, number];
}

/** A rule's guess as a score: its interval is wide (a fifth to five times the odds) and claims no more than 0.8. */
export function roughScore(odds: number, { names, from }: RoughBands): LeadScore {
  const probability = probabilityOf(odds);
  const band = probability >= from[1] ? 2 : probability >= from[0] ? 1 : 0;
  return {
    probability,
    low: probabilityOf(odds / UNSURE_FACTOR),
    high: probabilityOf(odds * UNSURE_FACTOR),
    intervalLevel: INTERVAL_LEVEL,
    band: names[band],
    percentile: PERCENTILES[band],
    attribution: null,
  };
}

function probabilityOf(odds: number): number {
  return odds / (1 + odds);
}
