import type { Metadata } from '@grpc/grpc-js';

/** Trailing metadata by which a gRPC server says when to try again (gRFC A6): milliseconds, or a negative number for never. */
export const PUSHBACK_KEY = 'grpc-retry-pushback-ms';
/** Trailing metadata that carries a serialised google.rpc.Status. */
export const STATUS_DETAILS_KEY = 'grpc-status-details-bin';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
/** Longer hints are no hints. */
const LONGEST_MS = 3_600_000;

/**
 * Milliseconds after which the same call may succeed, as the server says it.
 *
 * @returns undefined when it says nothing, and `'never'` when it asks for no retry, which includes what is no number
 */
export function readPushback(metadata: Metadata): number | 'never' | undefined {
  const [value] = metadata.get(PUSHBACK_KEY);
  if (value === undefined) return undefined;
  const text = value.toString();
  return /^\d+$/.test(text) ? Math.min(Number(text), LONGEST_MS) : 'never';
}

/** The hint of a failed call, from the pushback or else from a google.rpc.RetryInfo. */
export function readRetryAfterMs(metadata: Metadata): number | undefined {
  const pushback = readPushback(metadata);
  if (pushback !== undefined) return pushback === 'never' ? undefined : pushback;
  const [status] = metadata.get(STATUS_DETAILS_KEY);
  if (!Buffer.isBuffer(status)) return undefined;
  try {
    return retryDelayMs(status);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** google.rpc.Status { 3: repeated Any { 1: type_url, 2: value = RetryInfo { 1: Duration { 1: seconds, 2: nanos } } } } */
function retryDelayMs(status: Buffer): number | undefined {
  for (const detail of fieldsOf(status)) {
    if (detail.number !== 3 || !detail.bytes) continue;
    const any = fieldsOf(detail.bytes);
    if (find(any, 1)?.bytes?.toString() !== RETRY_INFO) continue;
    const delay = find(fieldsOf(find(any, 2)?.bytes ?? EMPTY), 1)?.bytes;
    if (!delay) continue;
    const duration = fieldsOf(delay);
    const milliseconds = (find(duration, 1)?.value ?? 0) * 1_000 + (find(duration, 2)?.value ?? 0) / 1e6;
    return Math.min(Math.ceil(milliseconds), LONGEST_MS);
  }
  return undefined;
}

const EMPTY = Buffer.alloc(0);

interface Field {
  number: number;
  /** of a varint; others are skipped */
  value?: number;
  /** of a length-delimited field */
  bytes?: Buffer;
}

function find(fields: readonly Field[], number: number): Field | undefined {
  return fields.find((field) => field.number === number);
}

/** @throws RangeError when the bytes are no message of varints, fixed-width and length-delimited fields */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 128) {
      const byte = message.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is too large');
  };
  while (at < message.byteLength) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (wireType === 0) fields.push({ number, value: varint() });
    else if (wireType === 2) {
      const end = varint() + at;
      if (end > message.byteLength) throw new RangeError('a field ends after the message');
      fields.push({ number, bytes: message.subarray(at, end) });
      at = end;
    } else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else throw new RangeError(`wire type ${wireType} is not used`);
  }
  return fields;
}
