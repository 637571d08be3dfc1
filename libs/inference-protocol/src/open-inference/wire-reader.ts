/** A protobuf message that cannot be read. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** Reads protobuf's wire format; every read is bounded by the bytes there are. */
export class WireReader {
  low = 0;
  high = 0;

  constructor(
    readonly bytes: Buffer,
    public at = 0,
    public end = bytes.length,
  ) {}

  get isDone(): boolean {
    return this.at >= this.end;
  }

  /** Field number and wire type of the next field: number × 8 + type. @throws MalformedMessageError */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw new MalformedMessageError('a field has the number 0');
    return tag;
  }

  /** The low 32 bits of a varint, unsigned. */
  uint32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedMessageError('a number has more than ten bytes');
  }

  /** A varint as a signed 64-bit number; beyond 2^53 only its size is right. */
  int64(): number {
    this.varint64();
    return this.high * 0x1_0000_0000 + (this.low >>> 0);
  }

  /** A varint of up to 64 bits; leaves its halves in `low` and `high`, both as signed 32-bit integers. */
  varint64(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else if (shift < 64) high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low | 0;
        this.high = high | 0;
        return;
      }
    }
    throw new MalformedMessageError('a number has more than ten bytes');
  }

  /** A varint as an unsigned 64-bit number; beyond 2^53 only its size is right. */
  uint64(): number {
    this.varint64();
    return (this.high >>> 0) * 0x1_0000_0000 + (this.low >>> 0);
  }

  double(): number {
    return this.bytes.readDoubleLE(this.skip(8));
  }

  /** A length-delimited field, as a view. */
  view(): Buffer {
    const start = this.length();
    return this.bytes.subarray(start, this.at);
  }

  text(): string {
    const start = this.length();
    return this.at - start < 1 ? '' : this.bytes.toString('utf8', start, this.at);
  }

  /** A nested message; the reader itself goes on behind it. */
  nested(): WireReader {
    const start = this.length();
    return new WireReader(this.bytes, start, this.at);
  }

  /** @throws MalformedMessageError for groups and wire types that there are not */
  skipField(tag: number): void {
    const type = tag & 7;
    if (type === WIRE.VARINT) this.uint32();
    else if (type === WIRE.FIXED64) this.skip(8);
    else if (type === WIRE.BYTES) this.length();
    else if (type === WIRE.FIXED32) this.skip(4);
    else throw new MalformedMessageError(`field ${tag >>> 3} has the wire type ${type}`);
  }

  /** @throws MalformedMessageError unless the field has this wire type */
  expect(tag: number, type: number): void {
    if ((tag & 7) !== type) {
      throw new MalformedMessageError(`field ${tag >>> 3} has the wire type ${tag & 7}, expected ${type}`);
    }
  }

  /** Goes into a nested message; {@link leave} goes on behind it. @returns what to hand to `leave` */
  enter(): number {
    const start = this.length();
    const outer = this.end;
    this.end = this.at;
    this.at = start;
    return outer;
  }

  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Steps over a length-delimited field and returns where it began. */
  private length(): number {
    return this.skip(this.uint32());
  }

  private skip(count: number): number {
    const start = this.at;
    if (count > this.end - start) throw new MalformedMessageError('the message ends inside a field');
    this.at = start + count;
    return start;
  }

  private byte(): number {
    if (this.at >= this.end) throw new MalformedMessageError('the message ends inside a number');
    return this.bytes[this.at++] ?? 0;
  }
}
