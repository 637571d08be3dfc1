import { withConsent } from './consent.js';
import type { CustomerState } from './customer-state.js';
import { addDecayed } from './decayed-counter.js';
import { featureVector } from './feature-vector.js';
import { appendInteraction, interactionsOf, trimInteractions } from './interactions.js';
import { addPurchase, orderValueOf } from './purchase-days.js';
import {
  compareEvents,
  CONSENT_EVENT_TYPE,
  CUSTOMER_EVENT_TYPES,
  eventIdOf,
  isScalar,
  numberOf,
  orderLinesOf,
  type Scalar,
  type StoredEvent,
  textOf,
} from './stored-event.js';

/** Most traits, and most form fields, kept for one customer; further names are ignored. */
export const MAX_TRAITS = 200;

const KNOWN_TYPES: ReadonlySet<string> = new Set(CUSTOMER_EVENT_TYPES);
/** What others do to a customer is no sign of life. */
const PASSIVE_TYPES: ReadonlySet<string> = new Set([
  'email_sent',
  'sales_outcome',
  'campaign_assigned',
  CONSENT_EVENT_TYPE,
]);

/**
 * The state after more events. Folding in parts equals folding at once, as long as the parts come in time order.
 *
 * @param state   not changed
 * @param events  of this customer, in any order, none of them before `state.lastAt`
 * @throws RangeError when an event is before `state.lastAt`: the caller must fold from the beginning
 */
export function foldEvents(state: CustomerState, events: readonly StoredEvent[]): CustomerState {
  const ordered = events.toSorted(compareEvents);
  const first = ordered[0];
  if (!first) return state;
  if (state.lastAt !== null && first.at.getTime() < state.lastAt) {
    throw new RangeError('an event before the last folded one can only be folded from the beginning');
  }
  const draft = copyOf(state);
  for (const event of ordered) foldOne(draft, event);
  trimInteractions(draft.interactions);
  return draft;
}

function copyOf(state: CustomerState): CustomerState {
  const { interactions } = state;
  return {
    ...state,
    counters: { ...state.counters },
    traits: { ...state.traits },
    interactions: {
      productIds: [...interactions.productIds],
      at: [...interactions.at],
      kinds: interactions.kinds,
      values: [...interactions.values],
    },
  };
}

function foldOne(draft: CustomerState, event: StoredEvent): void {
  const at = event.at.getTime();
  draft.eventCount += 1;
  draft.firstAt ??= at;
  draft.lastAt = at;
  if (!PASSIVE_TYPES.has(event.type)) draft.lastActiveAt = at;
  const counter = KNOWN_TYPES.has(event.type) ? event.type : 'other';
  draft.counters[counter] = addDecayed(draft.counters[counter] ?? null, at, 1);
  for (const interaction of interactionsOf(event)) appendInteraction(draft.interactions, interaction);
  if (event.type === 'order' || event.type === 'interaction') draft.engagedAt ??= at;
  FOLDS[event.type]?.(draft, event, at);
}

const FOLDS: Readonly<Record<string, (draft: CustomerState, event: StoredEvent, at: number) => void>> = {
  page_visit: foldVisit,
  order: foldOrder,
  profile_update: foldProfile,
  lead_submitted: foldForm,
  campaign_assigned: foldAssignment,
  [CONSENT_EVENT_TYPE]: (draft, event) => {
    draft.consents = withConsent(draft.consents, event);
  },
  sales_outcome: (draft, event, at) => {
    draft.outcome = { at, won: event.properties['won'] === true };
  },
};

function foldVisit(draft: CustomerState, event: StoredEvent, at: number): void {
  const { channel, device, durationSeconds } = event.properties;
  draft.lastChannel = textOf(channel) ?? draft.lastChannel;
  draft.lastDevice = textOf(device) ?? draft.lastDevice;
  const seconds = numberOf(durationSeconds);
  if (seconds !== null) draft.visitSeconds = addDecayed(draft.visitSeconds, at, seconds);
}

function foldOrder(draft: CustomerState, event: StoredEvent, at: number): void {
  const lines = orderLinesOf(event);
  const value = orderValueOf(event);
  draft.orderValue = addDecayed(draft.orderValue, at, value);
  draft.orderUnits = addDecayed(
    draft.orderUnits,
    at,
    lines.reduce((sum, line) => sum + line.quantity, 0),
  );
  draft.lastOrderValue = value;
  draft.purchases = addPurchase(draft.purchases, {
    at,
    value,
    currency: textOf(event.properties['currency']),
  });
}

/** An action that somebody took is a contact; being drawn into the control group is none. */
function foldAssignment(draft: CustomerState, event: StoredEvent, at: number): void {
  if (event.properties['control'] !== true) draft.contactedAt = at;
}

function foldProfile(draft: CustomerState, event: StoredEvent): void {
  const { accountRef, ...traits } = event.properties;
  draft.accountRef = textOf(accountRef) ?? draft.accountRef;
  putScalars(draft.traits, traits);
}

function foldForm(draft: CustomerState, event: StoredEvent, at: number): void {
  draft.form = putScalars({}, event.properties);
  draft.lead = { eventId: eventIdOf(event), at, features: featureVector(draft, new Date(at)) };
}

function putScalars(
  target: Record<string, Scalar>,
  source: Readonly<Record<string, unknown>>,
): Record<string, Scalar> {
  let room = MAX_TRAITS - Object.keys(target).length;
  for (const [name, value] of Object.entries(source)) {
    if (name === '__proto__' || !isScalar(value)) continue;
    const known = Object.hasOwn(target, name);
    if (!known && room-- <= 0) continue;
    target[name] = value;
  }
  return target;
}
