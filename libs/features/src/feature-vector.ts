import type { CustomerState, FeatureVector } from './customer-state.js';
import { DAY_MS, type DecayedSum, decayedAt, HALF_LIVES_DAYS } from './decayed-counter.js';
import { MAX_INTERACTIONS } from './interactions.js';
import type { Scalar } from './stored-event.js';

/** Types whose counts are features. Sales outcomes are labels and stay out of every vector. */
const COUNTED_TYPES = [
  'page_visit',
  'product_view',
  'order',
  'interaction',
  'email_sent',
  'email_open',
  'email_click',
  'profile_update',
  'lead_submitted',
  'other',
] as const;

/**
 * What models see of a customer at an instant. Names: `count.<type>.total` and `.<h>d` (decayed, half-life h days),
 * `recency.<type>.days`, `order.*`, `visit.*`, `email.*`, `products.distinct`, `tenure.days`, `trait.<name>`, `form.<name>`.
 * Null means that there was nothing to compute it from. Every vector has the same names but for traits and form fields.
 *
 * @param state  holds no event after `asOf`
 * @param asOf   decays and recencies are evaluated here
 */
export function featureVector(state: CustomerState, asOf: Date): FeatureVector {
  const now = asOf.getTime();
  return {
    'tenure.days': daysSince(state.firstAt, now),
    'recency.days': daysSince(state.lastActiveAt, now),
    ...countFeatures(state, now),
    ...orderFeatures(state, now),
    ...emailFeatures(state, now),
    ...sumFeatures('visit.seconds', state.visitSeconds, now),
    'visit.channel': state.lastChannel,
    'visit.device': state.lastDevice,
    'products.distinct': new Set(state.interactions.productIds.slice(-MAX_INTERACTIONS)).size,
    ...prefixed('trait', state.traits),
    ...prefixed('form', state.form),
  };
}

/**
 * What the lead model sees: the customer as they were when the newest form was submitted, the form included.
 * The same fold makes training examples, so served and trained vectors are equal.
 *
 * @returns null for a customer who never submitted a form
 */
export function leadVector(state: CustomerState): FeatureVector | null {
  return state.lead?.features ?? null;
}

function countFeatures(state: CustomerState, now: number): FeatureVector {
  const features: FeatureVector = {};
  for (const type of COUNTED_TYPES) {
    const counter = state.counters[type] ?? null;
    Object.assign(features, sumFeatures(`count.${type}`, counter, now));
    features[`recency.${type}.days`] = daysSince(counter?.at ?? null, now);
  }
  return features;
}

function orderFeatures(state: CustomerState, now: number): FeatureVector {
  const orders = state.counters['order']?.total ?? 0;
  return {
    ...sumFeatures('order.value', state.orderValue, now),
    ...sumFeatures('order.units', state.orderUnits, now),
    'order.value.mean': orders === 0 ? null : (state.orderValue?.total ?? 0) / orders,
    'order.value.last': state.lastOrderValue,
  };
}

function emailFeatures(state: CustomerState, now: number): FeatureVector {
  const features: FeatureVector = {};
  const sent = decayedAt(state.counters['email_sent'] ?? null, now);
  const opened = decayedAt(state.counters['email_open'] ?? null, now);
  const clicked = decayedAt(state.counters['email_click'] ?? null, now);
  HALF_LIVES_DAYS.forEach((halfLife, i) => {
    features[`email.openRate.${halfLife}d`] = ratio(opened[i], sent[i]);
    features[`email.clickRate.${halfLife}d`] = ratio(clicked[i], sent[i]);
  });
  return features;
}

function sumFeatures(name: string, sum: DecayedSum | null, now: number): FeatureVector {
  const features: FeatureVector = { [`${name}.total`]: sum?.total ?? 0 };
  const decayed = decayedAt(sum, now);
  HALF_LIVES_DAYS.forEach((halfLife, i) => {
    features[`${name}.${halfLife}d`] = decayed[i] ?? 0;
  });
  return features;
}

function prefixed(prefix: string, values: Readonly<Record<string, Scalar>>): FeatureVector {
  const features: FeatureVector = {};
  for (const [name, value] of Object.entries(values)) {
    features[`${prefix}.${name}`] = typeof value === 'boolean' ? Number(value) : value;
  }
  return features;
}

function daysSince(at: number | null, now: number): number | null {
  return at === null ? null : Math.max(0, now - at) / DAY_MS;
}

/** A rate in [0, 1]; null while its denominator has faded to nothing. */
function ratio(part: number | undefined, whole: number | undefined): number | null {
  if (part === undefined || whole === undefined || whole < 1e-9) return null;
  return Math.min(1, part / whole);
}
