const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Finds texts by their UTF-8 bytes, so that ids in a message need not become strings: hashing with open addressing.
 *
 * Source of the hash: Fowler, Noll and Vo, FNV-1a, 32 bits.
 */
export class TextIndex {
  /** texts one after the other */
  private readonly bytes: Uint8Array;
  /** shape [texts + 1] */
  private readonly starts: Int32Array;
  /** position of a text, −1 = free; a power of two of them, at most half taken */
  private readonly slots: Int32Array;

  /** @param texts  distinct */
  constructor(texts: readonly string[]) {
    const encoded = texts.map((text) => Buffer.from(text, 'utf8'));
    this.bytes = Buffer.concat(encoded);
    this.starts = new Int32Array(texts.length + 1);
    encoded.forEach(({ length }, i) => (this.starts[i + 1] = (this.starts[i] as number) + length));
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * Math.max(1, texts.length)))).fill(-1);
    for (let i = 0; i < texts.length; i++) this.insert(i);
  }

  /** Position of the text whose bytes are [from, to) of a message; −1 where there is none. */
  find(message: Uint8Array, from: number, to: number): number {
    const mask = this.slots.length - 1;
    for (let at = hashOf(message, from, to) & mask; ; at = (at + 1) & mask) {
      const found = this.slots[at] as number;
      if (found === -1 || this.isAt(found, message, from, to)) return found;
    }
  }

  private insert(position: number): void {
    const mask = this.slots.length - 1;
    const [from, to] = [this.starts[position] as number, this.starts[position + 1] as number];
    let at = hashOf(this.bytes, from, to) & mask;
    while (this.slots[at] !== -1) at = (at + 1) & mask;
    this.slots[at] = position;
  }

  private isAt(position: number, message: Uint8Array, from: number, to: number): boolean {
    const start = this.starts[position] as number;
    if ((this.starts[position + 1] as number) - start !== to - from) return false;
    for (let i = 0; i < to - from; i++) if (this.bytes[start + i] !== message[from + i]) return false;
    return true;
  }
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = FNV_OFFSET;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
  return hash >>> 1;
}
