import type { FeatureVector } from '@sextant/features';
import type { LeadScore } from '@sextant/inference-protocol';
import { roughScore } from './rough-score.js';

export const ENGAGEMENT_RULE = 'heuristic.engagement@1';

/** Conversion share that is common for business leads; the model's own base rate is not known while no model answers. */
const BASE_PROBABILITY = 0.05;
const RECENT_DAYS = 7;
const STALE_DAYS = 60;
/** Odds factors: a week-old visitor, a visitor of two months ago, someone who opens mails or has bought. */
const FACTORS = { recent: 3, stale: 0.4, engaged: 2 } as const;
const BANDS = { names: ['COLD', 'WARM', 'HOT'], from: [0.08, 0.2] } as const;

/**
 * A rough guess in place of the lead model: base odds times one factor for recency and one for engagement. *
 * @param features  as for the lead model; `recency.days`, `count.order.total` and `count.email_open.total` are read
 */
export function scoreByEngagement(features: FeatureVector): LeadScore {
  const recency = features['recency.days'];
  const recencyFactor =
    typeof recency !== 'number'
      ? 1
      : recency <= RECENT_DAYS
        ? FACTORS.recent
        : recency > STALE_DAYS
          ? FACTORS.stale
          : 1;
  const isEngaged =
    isAtLeast(features['count.order.total'], 1) || isAtLeast(features['count.email_open.total'], 1);
  const odds =
    (BASE_PROBABILITY / (1 - BASE_PROBABILITY)) * recencyFactor * (isEngaged ? FACTORS.engaged : 1);
  return roughScore(odds, BANDS);
}

function isAtLeast(value: number | string | null | undefined, least: number): boolean {
  return typeof value === 'number' && value >= least;
}
