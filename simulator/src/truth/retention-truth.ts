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
 * The probability of an order without action is 1 − exp(−k · activity · conversion · days), where the days are those of the horizon
 * before the customer leaves for good, so that it is 0 for who has left. Each type of customer has its own k (types differ in how
 * long they look and in what runs out at home): the one that meets how many of the type did order without being acted upon, which
 * the simulation knows of everybody.
 */
export function retentionTruth(
  population: PopulationTruth,
  drawn: readonly DrawnRetention[],
): RetentionTruth[] {
  const chances = chancesAnyway(population, drawn);
  return drawn.map(({ customer, campaignId, atMs, action, persuasion }, i) => {
    const anyway = chances[i] ?? 0;
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

function chancesAnyway(population: PopulationTruth, drawn: readonly DrawnRetention[]): Float64Array {
  const rates = drawn.map(({ customer, daysLeft }) => rateOf(population, customer) * daysLeft);
  const chances = new Float64Array(drawn.length);
  const ofType = Map.groupBy(drawn.keys(), (i) => population.type[drawn[i]?.customer ?? 0] ?? 0);
  for (const own of ofType.values()) {
    const ordered = own.reduce((sum, i) => sum + Number(drawn[i]?.ordersAnyway ?? false), 0);
    const ownRates = own.map((i) => rates[i] ?? 0);
    const k = scaleFor(ownRates, ordered);
    own.forEach((i, at) => (chances[i] = 1 - Math.exp(-k * (ownRates[at] ?? 0))));
  }
  return chances;
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
