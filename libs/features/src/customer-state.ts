import type { Consents } from './consent.js';
import type { DecayedSum } from './decayed-counter.js';
import { type InteractionColumns, noInteractions } from './interactions.js';
import type { PurchaseDays } from './purchase-days.js';
import type { Scalar } from './stored-event.js';

/** Changes when the fold does, so that documents of an older fold are computed anew. */
export const FOLD_VERSION = 4;

/** A feature vector by name, before any model's manifest encodes it. */
export type FeatureVector = Record<string, number | string | null>;

/** The features of the newest lead form, as they were when it was submitted. */
export interface LeadSnapshot {
  eventId: string;
  /** milliseconds since 1970 */
  at: number;
  features: FeatureVector;
}

/** Everything that serving knows of one customer: the fold of the events so far. All times are milliseconds since 1970. */
export interface CustomerState {
  customerId: string;
  eventCount: number;
  /** first and last event of any type; `lastAt` decides whether a new event may be folded on top */
  firstAt: number | null;
  lastAt: number | null;
  /** last event that the customer caused: all but mails sent to them and sales outcomes */
  lastActiveAt: number | null;
  /** last action of a campaign, mailings aside; null before the first */
  contactedAt: number | null;
  /** first order or interaction: since then they are a customer, before it a visitor or a lead */
  engagedAt: number | null;
  /** events by type; types without a meaning of their own are counted under `other` */
  counters: Record<string, DecayedSum>;
  /** order value in major units, and units ordered */
  orderValue: DecayedSum | null;
  orderUnits: DecayedSum | null;
  lastOrderValue: number | null;
  /** null before the first order */
  purchases: PurchaseDays | null;
  /** seconds spent on pages */
  visitSeconds: DecayedSum | null;
  lastChannel: string | null;
  lastDevice: string | null;
  /** latest value of each trait of `profile_update` */
  traits: Record<string, Scalar>;
  accountRef: string | null;
  /** the latest word about each purpose; never a feature */
  consents: Consents;
  /** fields of the newest lead form */
  form: Record<string, Scalar>;
  lead: LeadSnapshot | null;
  outcome: { at: number; won: boolean } | null;
  interactions: InteractionColumns;
}

export function emptyState(customerId: string): CustomerState {
  return {
    customerId,
    eventCount: 0,
    firstAt: null,
    lastAt: null,
    lastActiveAt: null,
    contactedAt: null,
    engagedAt: null,
    counters: {},
    orderValue: null,
    orderUnits: null,
    lastOrderValue: null,
    purchases: null,
    visitSeconds: null,
    lastChannel: null,
    lastDevice: null,
    traits: {},
    accountRef: null,
    consents: {},
    form: {},
    lead: null,
    outcome: null,
    interactions: noInteractions(),
  };
}
