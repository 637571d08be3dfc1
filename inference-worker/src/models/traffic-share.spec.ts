import { describe, expect, it } from 'vitest';
import { placeOf } from './traffic-share.js';

const KEYS = Array.from({ length: 100_000 }, (_, i) => `cus_${i}`);
const shareBelow = (salt: string, share: number): number =>
  KEYS.filter((key) => placeOf(salt, key) < share).length / KEYS.length;

describe('placeOf', () => {
  it('holds every share within 1 % of the calls over 100,000 keys', () => {
    for (const share of [0, 0.01, 0.05, 0.5, 0.95, 1]) {
      expect(Math.abs(shareBelow('demo.lead@7', share) - share)).toBeLessThan(0.01);
    }
    expect(shareBelow('demo.lead@7', 0)).toBe(0);
    expect(shareBelow('demo.lead@7', 1)).toBe(1);
  });

  it('puts a key always at the same place, so that a growing share keeps the keys that it had', () => {
    const small = KEYS.filter((key) => placeOf('demo.lead@7', key) < 0.05);
    expect(small.every((key) => placeOf('demo.lead@7', key) < 0.1)).toBe(true);
  });

  it('chooses independently for another salt', () => {
    const both = KEYS.filter((key) => placeOf('demo.lead@7', key) < 0.5 && placeOf('demo.lead@8', key) < 0.5);
    expect(Math.abs(both.length / KEYS.length - 0.25)).toBeLessThan(0.01);
  });
});
