import type { ScoreTask } from '@sextant/artefacts';
import { ACTIVE_WITHIN_DAYS } from '@sextant/features';
import type { TableWords } from '@sextant/training/table';

/** What people read of a task: on its card and in messages. */
export interface ScoreWords extends TableWords {
  purpose: (horizonDays: number) => string;
}

export const SCORE_WORDS: Readonly<Record<ScoreTask, ScoreWords>> = {
  lead: {
    examples: 'leads',
    positive: 'won',
    negative: 'lost',
    groups: 'customers',
    remedy: 'ingest lead_submitted and sales_outcome events, or wait until their horizon has passed',
    limitation:
      'A score describes leads like those it was learnt from; it says nothing on what a call or a message would change.',
    purpose: (days) =>
      `Probability that a lead is won within ${days} days of its form, from what was known when the form came in.`,
  },
  churn: {
    examples: 'snapshots',
    positive: 'gone',
    negative: 'still there',
    groups: 'customers',
    remedy: 'ingest order, page_visit, product_view or interaction events of at least two horizons',
    limitation: `It is learnt from customers who were there within ${ACTIVE_WITHIN_DAYS} days and have ordered or interacted before; of others it is a guess. It does not say what would keep anybody.`,
    purpose: (days) =>
      `Probability that a customer makes no visit, views nothing, orders nothing and does not interact in the next ${days} days, from their behaviour until then.`,
  },
  purchase: {
    examples: 'snapshots',
    positive: 'followed by an order',
    negative: 'not followed by one',
    groups: 'customers',
    remedy: 'ingest order events of at least two horizons',
    limitation:
      'A likely buyer is not one whom a message would make buy: it says nothing on what an offer would change.',
    purpose: (days) =>
      `Probability that somebody places an order in the next ${days} days, from their behaviour until then.`,
  },
};
