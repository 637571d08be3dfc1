import { WIRE } from './wire-reader.js';

const FIRST_BYTES = 1_024;
/** Copying so few bytes one by one is faster than asking for a view of them. */
const FEW_BYTES = 32;

/** Writes one message into memory that grows; fields with their default value are left out, as the format allows. */
export class WireWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private at = 0;

  constructor(capacity = FIRST_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  get length(): number {
    return this.at;
  }

  /** Forgets what was written from there on. */
  truncate(length: number): void {
    this.at = length;
  }

  /** A view of what was written; writing on may move it. */
  written(from = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(from, this.at);
  }

  uint32(field: number, value: number): void {
    if (value !== 0) this.number(field, value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.number(field, 1);
  }

  /** @param value  a safe integer */
  int64(field: number, value: number): void {
    if (value >= 0) return this.uint32(field, value);
    this.tag(field, WIRE.VARINT);
    let rest = BigInt.asUintN(64, BigInt(value));
    this.room(10);
    for (; rest > 127n; rest >>= 7n) this.bytes[this.at++] = Number(rest & 127n) | 0x80;
    this.bytes[this.at++] = Number(rest);
  }

  double(field: number, value: number): void {
    if (value !== 0 || Object.is(value, -0)) this.presentDouble(field, value);
  }

  /** Also where it is 0: for a field whose presence says something. */
  presentDouble(field: number, value: number): void {
    this.tag(field, WIRE.FIXED64);
    this.room(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  text(field: number, value: string): void {
    if (value !== '') this.presentText(field, value);
  }

  presentText(field: number, value: string): void {
    this.data(field, Buffer.from(value, 'utf8'));
  }

  data(field: number, value: Uint8Array): void {
    this.lengthOf(field, value.length);
    this.raw(value);
  }

  /** Tag and length of a field whose bytes follow. */
  lengthOf(field: number, bytes: number): void {
    this.tag(field, WIRE.BYTES);
    this.varint(bytes);
  }

  /** Bytes as they are, e.g. whole fields that were encoded before. */
  raw(value: Uint8Array, from = 0, to = value.length): void {
    const length = to - from;
    this.room(length);
    if (length > FEW_BYTES) this.bytes.set(value.subarray(from, to), this.at);
    else for (let i = 0; i < length; i++) this.bytes[this.at + i] = value[from + i] as number;
    this.at += length;
  }

  /** Begins a message within the message. @returns what `end` wants to know */
  begin(field: number): number {
    this.tag(field, WIRE.BYTES);
    this.room(1);
    return ++this.at;
  }

  /** Ends it: its length, known by now, goes in front of it. */
  end(start: number): void {
    const length = this.at - start;
    let extra = 0;
    for (let rest = length; rest > 127; rest = Math.floor(rest / 128)) extra += 1;
    if (extra > 0) {
      this.room(extra);
      this.bytes.copyWithin(start + extra, start, this.at);
    }
    this.at = start - 1;
    this.varint(length);
    this.at += length;
  }

  private number(field: number, value: number): void {
    this.tag(field, WIRE.VARINT);
    this.varint(value);
  }

  private tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  private varint(value: number): void {
    this.room(10);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes[this.at++] = (rest % 128) | 0x80;
    this.bytes[this.at++] = rest;
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.at + bytes));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

/** The bytes of a column on the wire: float64, little-endian (as on every platform that Node runs on but s390x). */
export function float64Data({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
