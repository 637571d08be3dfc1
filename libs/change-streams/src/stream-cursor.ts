import { DomainError } from '@sextant/domain';
import { Timestamp } from 'mongodb';

/** Longest resume token that is taken from outside, in hexadecimal digits. */
const MAX_DIGITS = 2_048;
/** `82`, seconds and counter of the cluster time; of an event its place within them follows. */
const TOKEN = /^82[0-9A-F]{16}(?:[0-9A-F]{2})*$/;
/** How far the clock of a store may be ahead of ours. */
const CLOCK_SKEW_S = 300;

/**
 * A place in the changes of a collection: the resume token of a change stream as MongoDB writes it, in hexadecimal. Its bytes are
 * made to be compared, so that of two places the earlier one is the smaller text.
 */
export type StreamPosition = string;

/** A position as clients see it. */
export function cursorOf(position: StreamPosition): string {
  return Buffer.from(position, 'hex').toString('base64url');
}

/**
 * @param cursor  as given by {@link cursorOf}
 * @throws DomainError INVALID_CURSOR when it was not
 */
export function positionOf(cursor: string, nowMs: number): StreamPosition {
  const position = Buffer.from(cursor.slice(0, MAX_DIGITS), 'base64url').toString('hex').toUpperCase();
  const isOurs = TOKEN.test(position) && position.length <= MAX_DIGITS && cursorOf(position) === cursor;
  if (isOurs && secondsOf(position) <= nowMs / 1_000 + CLOCK_SKEW_S) return position;
  throw new DomainError('INVALID_CURSOR', 'after must be the cursor of an event of the same subscription', {
    path: 'after',
  });
}

/** Where a subscription begins: after the cursor that a lost stream goes on from, else after the one asked for; null: now. */
export function startOf(
  context: { resumeAfter: string | null },
  after: string | null | undefined,
): StreamPosition | null {
  const cursor = context.resumeAfter ?? after;
  return cursor == null ? null : positionOf(cursor, Date.now());
}

/** When the change was, as the store counts time. */
export function timeOf(position: StreamPosition): Timestamp {
  return new Timestamp({ t: secondsOf(position), i: Number.parseInt(position.slice(10, 18), 16) });
}

/** The place after whatever was changed at `time` or before. */
export function positionAfter(time: Timestamp): StreamPosition {
  const digits = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
  return `82${digits(time.t)}${digits(time.i)}FF`;
}

function secondsOf(position: StreamPosition): number {
  return Number.parseInt(position.slice(2, 10), 16);
}
