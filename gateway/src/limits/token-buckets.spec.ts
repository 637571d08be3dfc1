import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { AuthFailures } from './auth-failures.js';
import { TokenBuckets } from './token-buckets.js';

const RATE = { rate: 10, burst: 100 };

describe('token buckets', () => {
  it('begin full, empty by what is taken and fill with time, never beyond the brim', () => {
    let nowMs = 0;
    const buckets = new TokenBuckets(() => nowMs);
    expect(buckets.waitMs('a', 100, RATE)).toBe(0);
    buckets.take('a', 100, RATE);
    expect(buckets.waitMs('a', 25, RATE)).toBe(2_500);
    expect(buckets.waitMs('b', 25, RATE)).toBe(0);
    nowMs = 2_500;
    expect(buckets.waitMs('a', 25, RATE)).toBe(0);
    nowMs = 1_000_000;
    expect(buckets.level('a', RATE)).toBe(100);
    buckets.take('a', -50, RATE);
    expect(buckets.level('a', RATE)).toBe(100);
  });

  it('give what is more than they hold when they are full, and owe it then', () => {
    let nowMs = 0;
    const buckets = new TokenBuckets(() => nowMs);
    expect(buckets.waitMs('a', 1_000, RATE)).toBe(0);
    buckets.take('a', 1_000, RATE);
    expect(buckets.waitMs('a', 1, RATE)).toBe(90_100);
    nowMs = 90_100;
    expect(buckets.waitMs('a', 1, RATE)).toBe(0);
  });

  it('do not empty when the clock goes back, and are forgotten when there are too many', () => {
    let nowMs = 10_000;
    const buckets = new TokenBuckets(() => nowMs, 2);
    buckets.take('a', 40, RATE);
    nowMs = 0;
    expect(buckets.level('a', RATE)).toBe(60);
    buckets.take('b', 1, RATE);
    buckets.take('c', 1, RATE);
    expect(buckets.level('a', RATE)).toBe(100);
  });
});

describe('failed identifications', () => {
  const fail = () => Promise.reject(new DomainError('UNAUTHENTICATED', 'no'));
  const succeed = () => Promise.resolve('anna');

  it('end at an address that nobody was identified from', async () => {
    let nowMs = 0;
    const failures = new AuthFailures(() => nowMs);
    for (let i = 0; i < 300; i++)
      await expect(failures.identify('1.2.3.4', fail)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(failures.identify('1.2.3.4', succeed)).rejects.toMatchObject({
      ...{ code: 'RATE_LIMITED', retryAfterMs: 100 },
    });
    expect(await failures.identify('5.6.7.8', succeed)).toBe('anna');
    nowMs = 100;
    expect(await failures.identify('1.2.3.4', succeed)).toBe('anna');
    // from now on it is one of real clients, for a minute
    for (let i = 0; i < 400; i++)
      await expect(failures.identify('1.2.3.4', fail)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    nowMs = 100 + 60_000 - 1;
    expect(await failures.identify('1.2.3.4', succeed)).toBe('anna');
  });

  it('do not count when it was our fault', async () => {
    const failures = new AuthFailures(() => 0);
    const broken = () => Promise.reject(new DomainError('IDENTITY_UNAVAILABLE', 'no keys'));
    for (let i = 0; i < 400; i++)
      await expect(failures.identify('1.2.3.4', broken)).rejects.toMatchObject({
        code: 'IDENTITY_UNAVAILABLE',
      });
    expect(await failures.identify('1.2.3.4', succeed)).toBe('anna');
  });
});
