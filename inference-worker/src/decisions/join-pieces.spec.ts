import { describe, expect, it } from 'vitest';
import { joinPieces } from './join-pieces.js';

describe('joinPieces', () => {
  it('puts pieces of any size together in their order', async () => {
    for (const sizes of [[], [3], [0, 5, 1], [3_000_000, 7, 1_048_576, 1, 500_000]]) {
      const pieces = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
      expect((await joinPieces(pieces)).equals(Buffer.concat(pieces))).toBe(true);
    }
  });

  it('lets the event loop go on between the steps of a long one', async () => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await joinPieces([new Uint8Array(5_000_000), new Uint8Array(5_000_000)]);
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(8);
  });
});
