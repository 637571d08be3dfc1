import { createHash } from 'node:crypto';
import { type Consents, type ConsentState, consentStateAt, type Purpose, PURPOSES } from '@sextant/features';

/** What a customer said last about one purpose, as the graph shows it. */
export interface ConsentView {
  purpose: Purpose;
  /** as it counts at the instant of asking */
  state: ConsentState;
  lawfulBasis: string | null;
  changedAt: Date | null;
  grantedAt: Date | null;
  expiresAt: Date | null;
  proof: string | null;
}

/** One for each purpose, in the order of {@link PURPOSES}. */
export function consentViews(consents: Consents, now: Date): ConsentView[] {
  return PURPOSES.map((purpose) => {
    const record = consents[purpose];
    const changedAt = record ? new Date(record.at) : null;
    return {
      purpose,
      state: consentStateAt(record, now),
      lawfulBasis: record?.lawfulBasis ?? null,
      changedAt,
      grantedAt: record?.state === 'GRANTED' ? changedAt : null,
      expiresAt: record?.expiresAt == null ? null : new Date(record.expiresAt),
      proof: record?.proof ?? null,
    };
  });
}

/** Another text whenever the state of a purpose, or when it was said, is another; the same customer's are to be compared only. */
export function consentVersion(views: readonly ConsentView[]): string {
  const said = views.map(({ purpose, state, changedAt }) => [purpose, state, changedAt]);
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url').slice(0, 16);
}
