import { DomainError } from '@sextant/domain';

/** Protocol Buffers' wire types. */
export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

const MAX_VARINT_BYTES = 10;
const TWO_TO_32 = 2 ** 32;

/**
 * Walks the fields of one message without copying. Unknown fields are skipped, as the format wants.
 *
 * Every method throws DomainError INVALID_INPUT for bytes that are no message.
 */
export class WireReader {
  /** of the field that `next` moved to */
  field = 0;
  wireType = 0;
  /** where that field begins, its tag included */
  fieldStart: number;
  /** @param at  first byte of the message; `end` the byte after its last */
  constructor(
    readonly bytes: Uint8Array,
    private at = 0,
    private readonly end: number = bytes.length,
  ) {
    this.fieldStart = at;
  }

  /** The byte after what was read last. */
  get position(): number {
    return this.at;
  }

  /** Moves to the next field; false at the end. Its value must then be read or skipped. */
  next(): boolean {
    if (this.at >= this.end) return false;
    this.fieldStart = this.at;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag & 7;
    if (this.field === 0) throw malformed('a field has the number 0');
    return true;
  }

  /** Reads an unsigned integer below 2^64; beyond 2^53 to the nearest double. */
  varint(): number {
    let result = 0;
    let unit = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.at >= this.end) throw malformed('it ends within a number');
      const byte = this.bytes[this.at++] as number;
      result += (byte & 0x7f) * unit;
      if (byte < 0x80) return result;
      unit *= 128;
    }
    throw malformed('a number is too long');
  }

  uint32(): number {
    this.expect(WIRE.VARINT);
    return this.varint() % TWO_TO_32;
  }

  /** As the nearest double. */
  int64(): number {
    this.expect(WIRE.VARINT);
    if (this.isNegative()) return this.negative();
    return this.varint();
  }

  bool(): boolean {
    this.expect(WIRE.VARINT);
    return this.varint() !== 0;
  }

  double(): number {
    this.expect(WIRE.FIXED64);
    this.need(8);
    const { buffer, byteOffset } = this.bytes;
    const value = new DataView(buffer, byteOffset + this.at, 8).getFloat64(0, true);
    this.at += 8;
    return value;
  }

  /** Moves behind the bytes and returns where they begin; they end at `position`. */
  span(): number {
    this.expect(WIRE.BYTES);
    const length = this.varint();
    this.need(length);
    const start = this.at;
    this.at += length;
    return start;
  }

  /**
   * Moves over the field and over all that follow it with the same tag, as a repeated field of short texts stands in a message.
   *
   * @param into  gets where each field begins, its tag included, and ends
   */
  spansOfSame(into: SpanList): void {
    const { bytes, end } = this;
    const tag = bytes[this.fieldStart] as number;
    const start = this.fieldStart;
    this.span();
    into.push(start, this.at);
    // A tag of one byte and a length of one byte are read here; whatever is longer is left to `next`.
    while (this.at + 1 < end && tag < 0x80 && bytes[this.at] === tag) {
      const length = bytes[this.at + 1] as number;
      const behind = this.at + 2 + length;
      if (length >= 0x80 || behind > end) return;
      into.push(this.at, behind);
      this.at = behind;
    }
  }

  /** A view of the bytes. */
  data(): Uint8Array {
    const start = this.span();
    return this.bytes.subarray(start, this.at);
  }

  text(): string {
    return textOf(this.data());
  }

  /** A reader of the message that the field holds. */
  message(): WireReader {
    const start = this.span();
    return new WireReader(this.bytes, start, this.at);
  }

  skip(): void {
    switch (this.wireType) {
      case WIRE.VARINT:
        this.varint();
        return;
      case WIRE.FIXED64:
        this.need(8);
        this.at += 8;
        return;
      case WIRE.FIXED32:
        this.need(4);
        this.at += 4;
        return;
      case WIRE.BYTES:
        this.span();
        return;
      default:
        throw malformed(`field ${this.field} has the wire type ${this.wireType}`);
    }
  }

  private isNegative(): boolean {
    // A negative number takes all ten bytes; the last of them is its sign.
    for (let i = 0; i < MAX_VARINT_BYTES - 1; i++) if ((this.bytes[this.at + i] ?? 0) < 0x80) return false;
    return true;
  }

  private negative(): number {
    let low = 0n;
    for (let i = 0n; i < MAX_VARINT_BYTES; i++) {
      if (this.at >= this.end) throw malformed('it ends within a number');
      low |= BigInt((this.bytes[this.at++] as number) & 0x7f) << (7n * i);
    }
    return Number(BigInt.asIntN(64, low));
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw malformed(`field ${this.field} has the wire type ${this.wireType}, not ${wireType}`);
    }
  }

  private need(bytes: number): void {
    if (!(bytes <= this.end - this.at)) throw malformed(`field ${this.field} is longer than the message`);
  }
}

/** Pairs of positions in a message. */
export class SpanList {
  private positions = new Int32Array(16);
  private used = 0;

  get length(): number {
    return this.used / 2;
  }

  push(start: number, end: number): void {
    if (this.used === this.positions.length) {
      const larger = new Int32Array(2 * this.used);
      larger.set(this.positions);
      this.positions = larger;
    }
    this.positions[this.used] = start;
    this.positions[this.used + 1] = end;
    this.used += 2;
  }

  start(i: number): number {
    return this.positions[2 * i] as number;
  }

  end(i: number): number {
    return this.positions[2 * i + 1] as number;
  }
}

export function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

export function malformed(why: string): DomainError {
  return new DomainError('INVALID_INPUT', `the message cannot be decoded: ${why}`);
}
