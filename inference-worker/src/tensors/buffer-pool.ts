/** The smallest size class; smaller requests share it. */
const LEAST_BYTES = 4 * 1024;
/** What the pool keeps for later, all size classes together. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Buffers that are used again: batches go to a thread by transfer and come back with the answer, so that serving allocates and
 * collects no batch memory. Sizes are powers of two. What a buffer held before is still in it.
 */
export class BufferPool {
  private readonly free = new Map<number, ArrayBuffer[]>();
  private kept = 0;

  /** Bytes that wait to be used again. */
  get keptBytes(): number {
    return this.kept;
  }

  /** A buffer of at least `bytes` bytes. */
  take(bytes: number): ArrayBuffer {
    const size = sizeClass(bytes);
    const buffer = this.free.get(size)?.pop();
    if (!buffer) return new ArrayBuffer(size);
    this.kept -= size;
    return buffer;
  }

  /** Gives a buffer back; one that did not come from a pool, or was transferred since, is left alone. */
  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    if (size < LEAST_BYTES || size !== sizeClass(size) || this.kept + size > MOST_KEPT_BYTES) return;
    const free = this.free.get(size);
    if (free) free.push(buffer);
    else this.free.set(size, [buffer]);
    this.kept += size;
  }
}

function sizeClass(bytes: number): number {
  let size = LEAST_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
