import { describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.js';

describe('BufferPool', () => {
  it('hands out a buffer again that was given back, for any size of its class', () => {
    const pool = new BufferPool();
    const first = pool.take(5_000);
    expect(first.byteLength).toBe(8_192);
    pool.give(first);
    expect(pool.take(4_097)).toBe(first);
    expect(pool.take(4_097)).not.toBe(first);
    expect(pool.keptBytes).toBe(0);
  });

  it('leaves alone what is not of its sizes and what was transferred', () => {
    const pool = new BufferPool();
    const transferred = pool.take(1);
    structuredClone(transferred, { transfer: [transferred] });
    for (const buffer of [transferred, new ArrayBuffer(5_000), new ArrayBuffer(16)]) pool.give(buffer);
    expect(pool.keptBytes).toBe(0);
  });

  it('keeps at most 64 MiB', () => {
    const pool = new BufferPool();
    for (let i = 0; i < 5; i++) pool.give(new ArrayBuffer(2 ** 24));
    expect(pool.keptBytes).toBe(2 ** 26);
  });
});
