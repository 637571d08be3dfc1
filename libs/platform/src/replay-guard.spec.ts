import { describe, expect, it } from 'vitest';
import { ReplayGuard } from './replay-guard.js';

describe('ReplayGuard', () => {
  it('knows a nonce for as long as its request is accepted, also one signed ahead of our clock', () => {
    const guard = new ReplayGuard(30_000);
    expect(guard.isFirst('a', 1_000_000, 1_000_000)).toBe(true);
    expect(guard.isFirst('ahead', 1_030_000, 1_000_000)).toBe(true);
    expect(guard.isFirst('a', 1_000_000, 1_030_000)).toBe(false);
    expect(guard.isFirst('ahead', 1_030_000, 1_060_000)).toBe(false);
  });

  it('forgets what would be refused for its age', () => {
    const guard = new ReplayGuard(30_000);
    for (let i = 0; i < 100; i += 1) guard.isFirst(`n${i}`, 1_000_000 + i * 1_000, 1_000_000 + i * 1_000);
    expect(guard.size).toBeLessThanOrEqual(32);
  });
});
