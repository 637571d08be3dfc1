import type { Metadata } from '@grpc/grpc-js';
import { varint } from './open-inference/infer-response.js';
import { MalformedMessageError, WIRE, WireReader } from './open-inference/wire-reader.js';

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
    return retryDelayMs(new WireReader(status));
  } catch (error) {
    if (error instanceof MalformedMessageError) return undefined;
    throw error;
  }
}

/** Says when to try again, in both ways that clients understand. @param ms  a non-negative integer */
export function writeRetryAfterMs(metadata: Metadata, code: number, ms: number): void {
  metadata.set(PUSHBACK_KEY, String(ms));
  metadata.set(STATUS_DETAILS_KEY, statusWithRetryInfo(code, ms));
}

function statusWithRetryInfo(code: number, ms: number): Buffer {
  const duration = [varintField(1, Math.floor(ms / 1_000)), varintField(2, (ms % 1_000) * 1e6)];
  const retryInfo = bytesField(1, Buffer.concat(duration));
  const any = [bytesField(1, Buffer.from(RETRY_INFO)), bytesField(2, retryInfo)];
  return Buffer.concat([varintField(1, code), bytesField(3, Buffer.concat(any))]);
}

function varintField(field: number, value: number): Buffer {
  return Buffer.from([8 * field, ...varint(value)]);
}

function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([8 * field + 2, ...varint(bytes.length)]), bytes]);
}

/** google.rpc.Status { 3: repeated Any { 1: type_url, 2: value } }, of which the first RetryInfo { 1: Duration }. */
function retryDelayMs(status: WireReader): number | undefined {
  while (!status.isDone) {
    const tag = status.tag();
    if (tag >>> 3 !== 3) status.skipField(tag);
    else {
      const delay = retryInfoOf(status.nested());
      if (delay) return Math.min(Math.ceil(durationMs(delay)), LONGEST_MS);
    }
  }
  return undefined;
}

function retryInfoOf(any: WireReader): WireReader | undefined {
  let type = '';
  let value: WireReader | undefined;
  while (!any.isDone) {
    const tag = any.tag();
    if (tag >>> 3 === 1) type = any.text();
    else if (tag >>> 3 === 2) value = any.nested();
    else any.skipField(tag);
  }
  if (type !== RETRY_INFO || !value || value.isDone) return undefined;
  value.expect(value.tag(), WIRE.BYTES);
  return value.nested();
}

/** google.protobuf.Duration { 1: seconds, 2: nanos } */
function durationMs(duration: WireReader): number {
  let milliseconds = 0;
  while (!duration.isDone) {
    const tag = duration.tag();
    if (tag >>> 3 === 1) milliseconds += duration.uint64() * 1_000;
    else if (tag >>> 3 === 2) milliseconds += duration.uint32() / 1e6;
    else duration.skipField(tag);
  }
  return milliseconds;
}
