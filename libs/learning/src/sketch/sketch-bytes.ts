import { DomainError } from '@sextant/domain';
import { crc32OfBytes } from '../metrics/crc32-split.js';

export interface Counters {
  /** of the plan */
  fingerprint: readonly [number, number];
  rows: number;
  /** whole numbers ≥ 0, up to 2^53 */
  counters: Float64Array;
}

/** "SKT" and the version of this layout: then the fingerprint, the rows and each counter as varints, and a CRC-32 of all before it. */
const MAGIC = Uint8Array.of(0x53, 0x4b, 0x54, 1);
const HEADER_BYTES = MAGIC.length + 8;
const MAX_VARINT_BYTES = 8;

export function writeCounters({ fingerprint, rows, counters }: Counters): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + MAX_VARINT_BYTES * (counters.length + 1) + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(MAGIC.length, fingerprint[0]);
  view.setUint32(MAGIC.length + 4, fingerprint[1]);
  let at = writeVarint(bytes, HEADER_BYTES, rows);
  for (let i = 0; i < counters.length; i++) at = writeVarint(bytes, at, counters[i] ?? 0);
  view.setUint32(at, crc32OfBytes(bytes.subarray(0, at)));
  return bytes.slice(0, at + 4);
}

/**
 * Fills the counters. @returns the rows
 *
 * @throws DomainError INVALID_INPUT for bytes that are damaged or of another plan
 */
export function readCounters(
  bytes: Uint8Array,
  fingerprint: readonly [number, number],
  counters: Float64Array,
): number {
  const end = bytes.length - 4;
  if (end < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw damaged('they do not begin as a sketch');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(end) !== crc32OfBytes(bytes.subarray(0, end)))
    throw damaged('their checksum does not match');
  const found = [view.getUint32(MAGIC.length), view.getUint32(MAGIC.length + 4)];
  if (found[0] !== fingerprint[0] || found[1] !== fingerprint[1])
    throw damaged('they count the bins of another plan');
  const cursor = { at: HEADER_BYTES };
  const body = bytes.subarray(0, end);
  const rows = readVarint(body, cursor);
  for (let i = 0; i < counters.length; i++) counters[i] = readVarint(body, cursor);
  if (cursor.at !== end) throw damaged(`${end - cursor.at} bytes are too many`);
  return rows;
}

function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let [at, rest] = [from, value];
  while (rest >= 128) {
    bytes[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at++] = rest;
  return at;
}

function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let [value, unit] = [0, 1];
  for (;;) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw damaged('they end too early');
    value += (byte % 128) * unit;
    if (byte < 128) break;
    unit *= 128;
  }
  if (value > Number.MAX_SAFE_INTEGER) throw damaged('a count is beyond 2^53');
  return value;
}

function damaged(why: string): DomainError {
  return new DomainError(
    'INVALID_INPUT',
    `the bytes of a sketch cannot be read: ${why}; ask the sender again`,
  );
}
