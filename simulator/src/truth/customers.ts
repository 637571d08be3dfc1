import type { CompanyPlan } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import { CATEGORIES } from './categories.js';
import { customerTypeAt, drawCustomerType } from './customer-types.js';
import type { Assortment } from './products.js';
import { drawStyle, STYLE_DIMENSIONS } from './style.js';

/** All customers' latent traits as parallel arrays of shape [customers], or [customers × categories | dimensions] row-major. */
export interface PopulationTruth {
  /** Index into CUSTOMER_TYPES. */
  type: Uint8Array;
  /** Cumulative share of interest per category; the last one of a row is 1. */
  tasteCumulative: Float32Array;
  style: Float32Array;
  /** Multiplies every product's elasticity; median 1. */
  priceSensitivity: Float32Array;
  /** Sessions a day relative to other customers; 0 for cold customers. */
  activity: Float32Array;
  /** Multiplies the chance that a viewed product is bought; 0 for bots. */
  conversion: Float32Array;
  emailAffinity: Float32Array;
  /** Mails relative to the usual frequency: 0 (never subscribed), 0.5, 1 or 1.5, assigned at random. */
  emailFrequency: Float32Array;
  leadQuality: Float32Array;
  joinDay: Int32Array;
  /** First day on which the customer is gone; `days` or more for those who stay. */
  leaveDay: Int32Array;
  /** Index of the account whose contact this is, −1 for private customers. */
  account: Int32Array;
  isBot: Uint8Array;
  /** Never seen in the data at all. */
  isUnseen: Uint8Array;
}

const CONTACT_SHARE = 0.3;

export function drawPopulation(plan: CompanyPlan, { byCategory }: Assortment): PopulationTruth {
  const n = plan.customers;
  const population = emptyPopulation(n);
  const random = new RandomStream(`${plan.seed}/customers`);
  const types = new RandomStream(`${plan.seed}/customer-types`);
  const open = byCategory.map((entry) => entry !== null);
  for (let customer = 0; customer < n; customer++) {
    drawTastes(population, customer, { random, open });
    drawHabits(population, customer, random);
    drawPresence(population, customer, { random, plan });
    const isContact = plan.accounts > 0 && random.happens(CONTACT_SHARE);
    population.account[customer] = isContact ? random.below(plan.accounts) : -1;
    becomeType(population, customer, drawCustomerType(types, isContact));
  }
  return population;
}

function emptyPopulation(n: number): PopulationTruth {
  return {
    type: new Uint8Array(n),
    tasteCumulative: new Float32Array(n * CATEGORIES.length),
    style: new Float32Array(n * STYLE_DIMENSIONS),
    priceSensitivity: new Float32Array(n),
    activity: new Float32Array(n),
    conversion: new Float32Array(n),
    emailAffinity: new Float32Array(n),
    emailFrequency: new Float32Array(n),
    leadQuality: new Float32Array(n),
    joinDay: new Int32Array(n),
    leaveDay: new Int32Array(n),
    account: new Int32Array(n),
    isBot: new Uint8Array(n),
    isUnseen: new Uint8Array(n),
  };
}

/** Log-normal interest around the average customer's: most people care for two or three categories. */
function drawTastes(
  population: PopulationTruth,
  customer: number,
  { random, open }: { random: RandomStream; open: readonly boolean[] },
): void {
  const interest = CATEGORIES.map(({ weight }, category) => {
    const drawn = random.logNormal(weight, 1.3);
    return open[category] ? drawn : 0;
  });
  putTastes(population, customer, interest);
  population.style.set(drawStyle(random), customer * STYLE_DIMENSIONS);
}

function drawHabits(population: PopulationTruth, customer: number, random: RandomStream): void {
  population.priceSensitivity[customer] = random.logNormal(1, 0.25);
  population.activity[customer] = random.logNormal(1, 0.55);
  population.conversion[customer] = random.logNormal(1, 0.35);
  population.emailAffinity[customer] = random.normal();
  population.emailFrequency[customer] = random.happens(0.62) ? random.pick([0.5, 1, 1.5]) : 0;
  population.leadQuality[customer] = random.normal();
}

/** Shifts what was drawn by what the type is like; bots stay as they are. */
function becomeType(population: PopulationTruth, customer: number, index: number): void {
  const type = customerTypeAt(index);
  population.type[customer] = index;
  if (population.isBot[customer] === 1) return;
  scale(population.activity, customer, type.activity);
  scale(population.conversion, customer, type.conversion);
  scale(population.priceSensitivity, customer, type.priceSensitivity);
  population.emailAffinity[customer] = (population.emailAffinity[customer] ?? 0) + type.emailAffinity;
  const interest = tasteShares(population, customer).map(
    (share, category) => share * (CATEGORIES[category]?.consumable ? type.consumables : 1),
  );
  putTastes(population, customer, interest);
}

function scale(values: Float32Array, at: number, factor: number): void {
  values[at] = (values[at] ?? 0) * factor;
}

function putTastes(population: PopulationTruth, customer: number, interest: readonly number[]): void {
  const total = interest.reduce((sum, value) => sum + value, 0);
  let cumulative = 0;
  interest.forEach((value, category) => {
    cumulative += value / total;
    population.tasteCumulative[customer * CATEGORIES.length + category] = cumulative;
  });
}

/** When the customer is there at all: existing, joining, leaving, cold, unseen, or a bot. */
function drawPresence(
  population: PopulationTruth,
  customer: number,
  { random, plan }: { random: RandomStream; plan: CompanyPlan },
): void {
  const join = random.happens(0.68) ? 0 : random.below(plan.days);
  population.joinDay[customer] = join;
  population.leaveDay[customer] = random.happens(0.25) ? join + 1 + random.below(plan.days) : plan.days;
  const kind = random.next();
  if (kind < 0.02) population.isUnseen[customer] = 1;
  if (kind < 0.06) {
    population.activity[customer] = 0;
    population.emailFrequency[customer] = 0;
  } else if (kind < 0.062) {
    population.isBot[customer] = 1;
    population.activity[customer] = 2;
    population.conversion[customer] = 0;
    population.emailFrequency[customer] = 0;
  }
}

/** A customer's share of interest per category, shape [categories], sum 1. */
export function tasteShares(population: PopulationTruth, customer: number): number[] {
  let before = 0;
  return CATEGORIES.map((_, category) => {
    const cumulative = population.tasteCumulative[customer * CATEGORIES.length + category] ?? 0;
    const share = cumulative - before;
    before = cumulative;
    return share;
  });
}
