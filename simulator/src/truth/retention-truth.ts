import type { DrawnRetention } from '../behaviour/retention.js';
import { customerRef } from '../company-plan.js';
import type { PopulationTruth } from './customers.js';
import { type RetentionAction, upliftOf } from './persuasion.js';

/** One assignment with what each action would really have changed. */
export interface RetentionTruth {
  customerRef: string;
  campaignId: string;
  at: string;
  action: RetentionAction | 'none';
  /** Probability of an order within the horizon without any action. */
  anyway: number;
  /** True difference that each action makes to it. */
  uplift: Record<RetentionAction, number>;
}

/**
 * The probability of an order without action is 1 − exp(−k · activity · conversion) for customers who are there, with the one k
 * that meets how many did order without being acted upon (which the simulation knows of everybody).
 */
export function retentionTruth(
  population: PopulationTruth,
  drawn: readonly DrawnRetention[],
): RetentionTruth[] {
  const rates = drawn.map(({ customer }) => rateOf(population, customer));
  const ordered = drawn.reduce((sum, { ordersAnyway }) => sum + Number(ordersAnyway), 0);
  const k = scaleFor(rates, ordered);
  return drawn.map(({ customer, campaignId, atMs, action, persuasion }, i) => {
    const anyway = 1 - Math.exp(-k * (rates[i] ?? 0));
    return {
      customerRef: customerRef(customer),
      campaignId,
      at: new Date(atMs).toISOString(),
      action: action ?? 'none',
      anyway,
      uplift: {
        'discount-mail': upliftOf(persuasion['discount-mail'], anyway),
        call: upliftOf(persuasion.call, anyway),
      },
    };
  });
}

function rateOf(population: PopulationTruth, customer: number): number {
  return (population.activity[customer] ?? 0) * (population.conversion[customer] ?? 0);
}

/** k with Σ (1 − exp(−k · rate)) = ordered, by bisection. */
function scaleFor(rates: readonly number[], ordered: number): number {
  let [low, high] = [0, 100];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    const expected = rates.reduce((sum, rate) => sum + 1 - Math.exp(-middle * rate), 0);
    if (expected < ordered) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
