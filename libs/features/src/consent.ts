import { type StoredEvent, textOf } from './stored-event.js';

/** What a customer can allow or refuse. */
export const PURPOSES = [
  'ANALYTICS',
  'PERSONALISATION',
  'PROFILING',
  'PRICING',
  'MARKETING_EMAIL',
  'MARKETING_PUSH',
  'MARKETING_SMS',
  'ADS',
  'TRAINING',
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** UNKNOWN: never asked, taken back to undecided, or a grant that ran out. */
export const CONSENT_STATES = ['GRANTED', 'DENIED', 'UNKNOWN'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/** What a customer said last about one purpose. Times are milliseconds since 1970. */
export interface ConsentRecord {
  state: ConsentState;
  at: number;
  /** e.g. `consent`, `legitimate-interests`; null where the event names none */
  lawfulBasis: string | null;
  /** a grant counts as UNKNOWN from then on; null: it does not run out */
  expiresAt: number | null;
  /** where it can be seen, e.g. the number of a form */
  proof: string | null;
}

export type Consents = Partial<Record<Purpose, ConsentRecord>>;

const KNOWN_PURPOSES: ReadonlySet<unknown> = new Set(PURPOSES);
const KNOWN_STATES: ReadonlySet<unknown> = new Set(CONSENT_STATES);

/**
 * The consents after a `consent_changed`: the latest word about a purpose counts, and of several at one instant a denial.
 * An event without a known purpose or state changes nothing.
 *
 * @param consents  not changed
 * @param event     not before the record of its purpose
 */
export function withConsent(
  consents: Consents,
  { at, properties }: Pick<StoredEvent, 'at' | 'properties'>,
): Consents {
  const { purpose, state, lawfulBasis, expiresAt, proof } = properties;
  if (!isPurpose(purpose) || !isConsentState(state)) return consents;
  const before = consents[purpose];
  if (before?.at === at.getTime() && before.state === 'DENIED') return consents;
  const expiry = Date.parse(textOf(expiresAt) ?? '');
  return {
    ...consents,
    [purpose]: {
      state,
      at: at.getTime(),
      lawfulBasis: textOf(lawfulBasis),
      expiresAt: Number.isNaN(expiry) ? null : expiry,
      proof: textOf(proof),
    },
  };
}

/** What counts at an instant: a grant that ran out is UNKNOWN. */
export function consentStateAt(record: ConsentRecord | undefined, now: Date): ConsentState {
  if (!record) return 'UNKNOWN';
  const isOver = record.expiresAt !== null && record.expiresAt <= now.getTime();
  return record.state === 'GRANTED' && isOver ? 'UNKNOWN' : record.state;
}

function isPurpose(value: unknown): value is Purpose {
  return KNOWN_PURPOSES.has(value);
}

function isConsentState(value: unknown): value is ConsentState {
  return KNOWN_STATES.has(value);
}
