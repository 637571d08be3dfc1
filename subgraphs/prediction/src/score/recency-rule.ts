import type { FeatureVector } from '@sextant/features';
import type { LeadScore } from '@sextant/inference-protocol';
import { roughScore } from './rough-score.js';

export const RECENCY_RULE = 'heuristic.recency@1';

/** The horizons that the rules below speak of, in days. */
export const RECENCY_RULE_DAYS = { churn: 30, purchase: 7 } as const;

/** Odds double, or halve, with each half month of absence. */
const DOUBLING_DAYS = 15;
/** Longer absences say no more. */
const MAX_DAYS = 180;
const NAMES = ['LOW', 'MEDIUM', 'HIGH'] as const;
/** Odds on the day of the last visit, and of the last order; of somebody who was never seen doing it. */
const CHURN = { today: 1 / 6, never: 1, from: [0.2, 0.5] } as const;
const PURCHASE = { today: 1 / 5, never: 1 / 50, from: [0.05, 0.12] } as const;

/**
 * A rough guess in place of the churn model: the longer nothing was seen of a customer, the likelier they are gone.
 *
 * @param features  as for the model; `recency.days` is read
 */
export function churnByRecency(features: FeatureVector): LeadScore {
  const days = daysOf(features['recency.days']);
  const odds = days === null ? CHURN.never : CHURN.today * 2 ** (days / DOUBLING_DAYS);
  return roughScore(odds, { names: NAMES, from: CHURN.from });
}

/**
 * A rough guess in place of the purchase model: the longer ago the last order, the less likely is the next.
 *
 * @param features  as for the model; `recency.order.days` is read
 */
export function purchaseByRecency(features: FeatureVector): LeadScore {
  const days = daysOf(features['recency.order.days']);
  const odds = days === null ? PURCHASE.never : PURCHASE.today * 2 ** (-days / DOUBLING_DAYS);
  return roughScore(odds, { names: NAMES, from: PURCHASE.from });
}

function daysOf(value: number | string | null | undefined): number | null {
  return typeof value === 'number' ? Math.min(MAX_DAYS, value) : null;
}
