import { CATEGORIES } from './categories.js';
import type { PopulationTruth } from './customers.js';
import type { ProductTruth } from './products.js';
import { STYLE_DIMENSIONS } from './style.js';

const BASE_ORDER_PROBABILITY = 0.078;
const MAX_ORDER_PROBABILITY = 0.85;

/** How well a product meets a customer's taste, in [−1, 1]: the cosine of their styles. */
export function styleMatch(population: PopulationTruth, customer: number, product: ProductTruth): number {
  const at = customer * STYLE_DIMENSIONS;
  let sum = 0;
  for (let d = 0; d < STYLE_DIMENSIONS; d++) sum += (population.style[at + d] ?? 0) * (product.style[d] ?? 0);
  return sum;
}

/** The category a customer looks into, for one uniform draw in [0, 1). */
export function categoryOf(population: PopulationTruth, customer: number, uniform: number): number {
  const at = customer * CATEGORIES.length;
  for (let category = 0; category < CATEGORIES.length; category++) {
    if (uniform < (population.tasteCumulative[at + category] ?? 1)) return category;
  }
  return CATEGORIES.length - 1;
}

/**
 * Probability that a viewed product is bought: constant elasticity in price, multiplicative in taste.
 *
 * @param relativePrice  price seen over the reference (first list) price, > 0
 * @returns              in [0, 0.85]
 */
export function orderProbability(
  population: PopulationTruth,
  customer: number,
  { product, relativePrice, isRefill }: { product: ProductTruth; relativePrice: number; isRefill: boolean },
): number {
  const sensitivity = population.priceSensitivity[customer] ?? 1;
  const demand = Math.exp(product.elasticity * sensitivity * Math.log(relativePrice));
  const liking = Math.exp(0.9 * styleMatch(population, customer, product));
  const need = isRefill ? 3.5 : 1;
  return Math.min(
    MAX_ORDER_PROBABILITY,
    BASE_ORDER_PROBABILITY * (population.conversion[customer] ?? 0) * liking * need * demand,
  );
}

/** What somebody typed into the lead form; undefined where the field was left empty. */
export interface LeadForm {
  companySize?: number;
  industry?: string;
  jobTitle?: string;
  source?: string;
  budget?: number;
  timeline?: string;
  country?: string;
  messageLength: number;
  requestedDemo: boolean;
  phoneGiven: boolean;
  freeMail: boolean;
}

export interface LeadContext {
  /** Decayed number of product views in the weeks before the form. */
  recentViews: number;
  /** Decayed number of e-mail clicks. */
  recentClicks: number;
  orders: number;
  /** Real number of employees, whatever the form says. */
  employees: number;
  readiness: number;
  leadQuality: number;
}

/** Of a context, what no form and no event shows: for an account and a person of average hidden merit. */
export function withoutTheUnseen(context: LeadContext): LeadContext {
  return { ...context, readiness: 0, leadQuality: 0 };
}

const TITLE_EFFECT: Readonly<Record<string, number>> = {
  owner: 0.9,
  head_of_purchasing: 1.1,
  office_manager: 0.5,
  buyer: 0.6,
  assistant: -0.2,
  engineer: -0.1,
  student: -1.8,
};
const SOURCE_EFFECT: Readonly<Record<string, number>> = {
  referral: 0.9,
  partner: 0.5,
  fair: 0.3,
  organic_search: 0,
  webinar: -0.1,
  paid_search: -0.4,
  social: -0.7,
};
const TIMELINE_EFFECT: Readonly<Record<string, number>> = { now: 0.8, quarter: 0.2, later: -0.6 };

/** True probability that a lead is won, from what was typed, what was done before, and what nobody can see. */
export function leadProbability(form: LeadForm, context: LeadContext): number {
  const size = Math.log10(context.employees);
  const fitting = 0.7 - 0.9 * (size - 2) ** 2;
  const typed =
    (TITLE_EFFECT[form.jobTitle ?? ''] ?? 0) +
    (SOURCE_EFFECT[form.source ?? ''] ?? 0) +
    (TIMELINE_EFFECT[form.timeline ?? ''] ?? -0.1) +
    (form.budget === undefined ? -0.4 : 0.35 * Math.log10(1 + form.budget / 1000)) +
    0.5 * (1 - Math.exp(-form.messageLength / 120)) +
    (form.requestedDemo ? 0.7 : 0) +
    (form.phoneGiven ? 0.3 : 0) -
    (form.freeMail ? 0.6 : 0);
  const done =
    0.45 * Math.log1p(context.recentViews) +
    0.35 * Math.log1p(context.recentClicks) +
    0.3 * Math.log1p(context.orders);
  const interaction = form.jobTitle === 'student' && context.employees > 200 ? -0.8 : 0;
  const unseen = 0.45 * context.readiness + 0.4 * context.leadQuality;
  return 1 / (1 + Math.exp(-(-4.1 + fitting + typed + done + interaction + unseen)));
}
