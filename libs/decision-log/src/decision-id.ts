import { randomUUID } from 'node:crypto';

const DECISION_ID = /^dec_([0-9a-f]{12})[0-9a-f]{20}$/;

/** Unguessable (74 random bits) and in order of time (48 bits of milliseconds), so that inserts stay at one end of the index. */
export function newDecisionId(at: Date): string {
  const time = at.getTime().toString(16).padStart(12, '0');
  const random = randomUUID();
  return `dec_${time}${random.slice(14, 18)}${random.slice(19, 23)}${random.slice(24)}`;
}

/** The instant that an id carries; null for a text that is no decision id. */
export function decidedAtOf(id: string): Date | null {
  const time = DECISION_ID.exec(id)?.[1];
  return time === undefined ? null : new Date(Number.parseInt(time, 16));
}
