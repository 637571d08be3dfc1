import type { CustomerState, FeatureVector } from './customer-state.js';
import { DAY_MS, type DecayedSum, decayedPart, HALF_LIVES_DAYS } from './decayed-counter.js';
import { MAX_INTERACTIONS } from './interactions.js';
import type { Scalar } from './stored-event.js';

/** One feature of a customer at an instant, in milliseconds since 1970; null: there was nothing to compute it from. */
export type FeatureReader = (state: CustomerState, now: number) => number | string | null;

type SumOf = (state: CustomerState) => DecayedSum | null;

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

const TRAIT_PREFIX = 'trait.';
const FORM_PREFIX = 'form.';

/** Every feature that does not depend on what a company writes, in the order of a vector. */
const READERS: ReadonlyMap<string, FeatureReader> = new Map<string, FeatureReader>([
  ['tenure.days', (state, now) => daysSince(state.firstAt, now)],
  ['recency.days', (state, now) => daysSince(state.lastActiveAt, now)],
  ...COUNTED_TYPES.flatMap(countReaders),
  ...sumReaders('order.value', (state) => state.orderValue),
  ...sumReaders('order.units', (state) => state.orderUnits),
  ['order.value.mean', meanOrderValue],
  ['order.value.last', (state) => state.lastOrderValue],
  ...HALF_LIVES_DAYS.flatMap(emailReaders),
  ...sumReaders('visit.seconds', (state) => state.visitSeconds),
  ['visit.channel', (state) => state.lastChannel],
  ['visit.device', (state) => state.lastDevice],
  ['products.distinct', (state) => distinctCount(state.interactions.productIds)],
]);
const NAMED_READERS: readonly (readonly [string, FeatureReader])[] = [...READERS];

/**
 * What every vector begins as. As JSON made it, it has a hidden class of its own, and so have its copies; an object that grows by
 * ninety computed names becomes a hash table, which takes several times the memory and the time of whoever reads it.
 */
const BLANK = JSON.parse(
  JSON.stringify(Object.fromEntries(NAMED_READERS.map(([name]) => [name, null]))),
) as FeatureVector;

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
  const features: FeatureVector = { ...BLANK };
  for (const [name, read] of NAMED_READERS) features[name] = read(state, now);
  putScalars(features, TRAIT_PREFIX, state.traits);
  putScalars(features, FORM_PREFIX, state.form);
  return features;
}

/** Reads the one feature that {@link featureVector} has under this name; null for a name that a vector lacks. */
export function featureReader(name: string): FeatureReader {
  const known = READERS.get(name);
  if (known) return known;
  if (name.startsWith(TRAIT_PREFIX))
    return scalarReader((state) => state.traits, name.slice(TRAIT_PREFIX.length));
  if (name.startsWith(FORM_PREFIX))
    return scalarReader((state) => state.form, name.slice(FORM_PREFIX.length));
  return () => null;
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

function countReaders(type: (typeof COUNTED_TYPES)[number]): [string, FeatureReader][] {
  return [
    ...sumReaders(`count.${type}`, (state) => state.counters[type] ?? null),
    [`recency.${type}.days`, (state, now) => daysSince(state.counters[type]?.at ?? null, now)],
  ];
}

function sumReaders(name: string, sumOf: SumOf): [string, FeatureReader][] {
  const faded = HALF_LIVES_DAYS.map((halfLife, i): [string, FeatureReader] => [
    `${name}.${halfLife}d`,
    (state, now) => decayedPart(sumOf(state), i, now),
  ]);
  return [[`${name}.total`, (state) => sumOf(state)?.total ?? 0], ...faded];
}

function emailReaders(halfLife: number, i: number): [string, FeatureReader][] {
  const rateOf =
    (type: 'email_open' | 'email_click'): FeatureReader =>
    ({ counters }, now) =>
      ratio(decayedPart(counters[type] ?? null, i, now), decayedPart(counters['email_sent'] ?? null, i, now));
  return [
    [`email.openRate.${halfLife}d`, rateOf('email_open')],
    [`email.clickRate.${halfLife}d`, rateOf('email_click')],
  ];
}

function meanOrderValue(state: CustomerState): number | null {
  const orders = state.counters['order']?.total ?? 0;
  return orders === 0 ? null : (state.orderValue?.total ?? 0) / orders;
}

function distinctCount(productIds: readonly string[]): number {
  return new Set(productIds.length > MAX_INTERACTIONS ? productIds.slice(-MAX_INTERACTIONS) : productIds)
    .size;
}

function scalarReader(
  valuesOf: (state: CustomerState) => Readonly<Record<string, Scalar>>,
  name: string,
): FeatureReader {
  return (state) => {
    const values = valuesOf(state);
    return Object.hasOwn(values, name) ? plain(values[name] ?? null) : null;
  };
}

function putScalars(features: FeatureVector, prefix: string, values: Readonly<Record<string, Scalar>>): void {
  for (const [name, value] of Object.entries(values)) features[prefix + name] = plain(value);
}

function plain(value: Scalar | null): number | string | null {
  return typeof value === 'boolean' ? Number(value) : value;
}

function daysSince(at: number | null, now: number): number | null {
  return at === null ? null : Math.max(0, now - at) / DAY_MS;
}

/** A rate in [0, 1]; null while its denominator has faded to nothing. */
function ratio(part: number, whole: number): number | null {
  return whole < 1e-9 ? null : Math.min(1, part / whole);
}
