/** Copying so much takes about a millisecond of the main thread. */
const BYTES_AT_ONCE = 1024 * 1024;

/** One buffer of all pieces; a long one is put together in steps between which the event loop goes on. */
export async function joinPieces(pieces: readonly Uint8Array[]): Promise<Buffer> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length <= BYTES_AT_ONCE) return Buffer.concat(pieces, length);
  const joined = Buffer.allocUnsafeSlow(length);
  let at = 0;
  let sinceRest = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      const count = Math.min(piece.length - from, BYTES_AT_ONCE - sinceRest);
      joined.set(piece.subarray(from, from + count), at);
      from += count;
      at += count;
      sinceRest += count;
      if (sinceRest < BYTES_AT_ONCE) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sinceRest = 0;
    }
  }
  return joined;
}
