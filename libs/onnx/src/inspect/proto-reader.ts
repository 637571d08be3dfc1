import { ModelRefused } from './model-refused.js';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** 49 bits: a double holds them all. */
const EXACT_BYTES = 7;

const names = new TextDecoder('utf-8', { fatal: true });

/** Bytes [start, end) of the file. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Walks the fields of one protobuf message that lies in [start, end) of a file. It copies nothing and never reads beyond the end.
 *
 * @throws ModelRefused NOT_ONNX for bytes that are no message
 *
 * Source of the format: https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoReader {
  field = 0;
  wire = 0;
  /** where the tag of the field begins */
  fieldStart: number;
  at: number;
  readonly end: number;

  constructor(
    readonly bytes: Uint8Array,
    { start, end }: Span = { start: 0, end: bytes.byteLength },
  ) {
    this.at = start;
    this.fieldStart = start;
    this.end = end;
  }

  /** Goes to the next field; whoever calls it has read or skipped the one before. */
  next(): boolean {
    if (this.at >= this.end) return false;
    this.fieldStart = this.at;
    const tag = this.unsigned();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0 || this.field > 0x1fffffff)
      throw this.broken(`a field has the number ${this.field}`);
    return true;
  }

  /** An int64; beyond 2^53 it is rounded. */
  varint(): number {
    this.expect(VARINT);
    return this.signed();
  }

  /** A varint without a tag, as packed fields hold them. */
  signed(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < EXACT_BYTES; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return value;
    }
    return this.wide(value);
  }

  float(): number {
    this.expect(FIXED32);
    const view = this.view(4);
    return view.getFloat32(0, true);
  }

  /** A length-delimited field: text, bytes, a message or packed numbers. */
  span(): Span {
    this.expect(BYTES);
    const length = this.unsigned();
    const start = this.at;
    if (length > this.end - start) {
      throw this.broken(`field ${this.field} announces ${length} bytes and ${this.end - start} are left`);
    }
    this.at = start + length;
    return { start, end: this.at };
  }

  message(): ProtoReader {
    return new ProtoReader(this.bytes, this.span());
  }

  text(): string {
    const { start, end } = this.span();
    try {
      return names.decode(this.bytes.subarray(start, end));
    } catch {
      throw this.broken(`field ${this.field} is a name that is not UTF-8`);
    }
  }

  skip(): void {
    if (this.wire === VARINT) this.signed();
    else if (this.wire === BYTES) this.span();
    else if (this.wire === FIXED32) this.view(4);
    else if (this.wire === FIXED64) this.view(8);
    else throw this.broken(`field ${this.field} has the wire type ${this.wire}`);
  }

  /** The field just read, its tag included. */
  wholeField(): Span {
    return { start: this.fieldStart, end: this.at };
  }

  view(length: number): DataView {
    if (length > this.end - this.at) throw this.broken('a number is cut off');
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, length);
    this.at += length;
    return view;
  }

  broken(why: string): ModelRefused {
    return new ModelRefused(
      'NOT_ONNX',
      `the file is no whole ONNX model: ${why} (at byte ${this.at}); export or send it again`,
    );
  }

  private expect(wire: number): void {
    if (this.wire !== wire)
      throw this.broken(`field ${this.field} has the wire type ${this.wire}, not ${wire}`);
  }

  /** Lengths and tags: never negative. */
  private unsigned(): number {
    const value = this.signed();
    if (value < 0) throw this.broken('a length is negative');
    return value;
  }

  /** The rest of a number that a double might round: a negative one has ten bytes. */
  private wide(low: number): number {
    let value = BigInt(low);
    for (let i = EXACT_BYTES; i < 10; i++) {
      const byte = this.byte();
      if (i === 9 && byte > 1) break;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw this.broken('a number has more than 64 bits');
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (this.at >= this.end || byte === undefined) throw this.broken('it ends in the middle of a number');
    this.at += 1;
    return byte;
  }
}
