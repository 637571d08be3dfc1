import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { toDomainError } from './grpc-status.js';
import {
  PUSHBACK_KEY,
  readPushback,
  readRetryAfterMs,
  STATUS_DETAILS_KEY,
  writeRetryAfterMs,
} from './retry-hint.js';

/** google.rpc.Status { code: 8, message: "full", details: [DebugInfo, RetryInfo of 1.25 s] }, as protobufjs writes it. */
const RETRY_IN_1250_MS =
  '0808120466756c6c1a2f0a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e4465627567496e666f12030a0141' +
  '1a350a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f12090a0708011080e59a77';
/** The same with a RetryInfo of 1 ns only. */
const RETRY_IN_1_NS =
  '0808120466756c6c1a300a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f12040a021001';

function metadata({ pushback, details }: { pushback?: string; details?: Buffer }): Metadata {
  const made = new Metadata();
  if (pushback !== undefined) made.set(PUSHBACK_KEY, pushback);
  if (details) made.set(STATUS_DETAILS_KEY, details);
  return made;
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('the hint when to try again', () => {
  it.each([
    ['250', 250],
    ['0', 0],
    ['99999999999', 3_600_000],
    ['-1', 'never'],
    ['1.5', 'never'],
    ['soon', 'never'],
  ])('reads the pushback %s as %s', (pushback, expected) => {
    expect(readPushback(metadata({ pushback }))).toBe(expected);
  });

  it('is read from a RetryInfo among the details, rounded up', () => {
    expect(readRetryAfterMs(metadata({ details: hex(RETRY_IN_1250_MS) }))).toBe(1_250);
    expect(readRetryAfterMs(metadata({ details: hex(RETRY_IN_1_NS) }))).toBe(1);
  });

  it('is the pushback where there are both, and none where that says never', () => {
    const details = hex(RETRY_IN_1250_MS);
    expect(readRetryAfterMs(metadata({ details, pushback: '20' }))).toBe(20);
    expect(readRetryAfterMs(metadata({ details, pushback: '-1' }))).toBeUndefined();
  });

  it('is none for what cannot be read, however it is cut or garbled', () => {
    expect(readRetryAfterMs(metadata({}))).toBeUndefined();
    expect(readRetryAfterMs(metadata({ details: hex('0808120466756c6c') }))).toBeUndefined();
    const whole = hex(RETRY_IN_1250_MS);
    for (let length = 0; length < whole.length; length++) {
      const hint = readRetryAfterMs(metadata({ details: whole.subarray(0, length) }));
      expect(hint === undefined || hint >= 0).toBe(true);
    }
    for (let at = 0; at < whole.length; at++) {
      const garbled = Buffer.from(whole);
      garbled[at] = 0xff;
      const hint = readRetryAfterMs(metadata({ details: garbled }));
      expect(hint === undefined || (hint >= 0 && hint <= 3_600_000)).toBe(true);
    }
  });

  it.each([0, 1, 999, 1_000, 61_234])('of %i ms is read as it was written, in both forms', (ms) => {
    const written = metadata({});
    writeRetryAfterMs(written, status.RESOURCE_EXHAUSTED, ms);
    expect(readPushback(written)).toBe(ms);
    written.remove(PUSHBACK_KEY);
    expect(readRetryAfterMs(written)).toBe(ms);
  });

  it('reaches the caller with the error', () => {
    const error = Object.assign(new Error('full'), {
      ...{ code: status.RESOURCE_EXHAUSTED, details: 'full' },
      metadata: metadata({ pushback: '40' }),
    });
    expect(toDomainError(error)).toMatchObject({ code: 'QUEUE_FULL', retryAfterMs: 40 });
  });
});
