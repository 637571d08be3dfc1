import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.js';

const aBreaker = () => {
  const time = { now: 0 };
  return { time, breaker: new CircuitBreaker({ threshold: 3, probeEveryMs: 500, now: () => time.now }) };
};

describe('CircuitBreaker', () => {
  it('opens after three failures in a row, not after three in all', () => {
    const { breaker } = aBreaker();
    breaker.failed();
    breaker.failed();
    breaker.succeeded();
    breaker.failed();
    breaker.failed();
    expect([breaker.state, breaker.admits()]).toEqual(['closed', true]);
    breaker.failed();
    expect([breaker.state, breaker.admits()]).toEqual(['open', false]);
  });

  it('lets one probe through every half second, and closes with the first that succeeds', () => {
    const { breaker, time } = aBreaker();
    for (let i = 0; i < 3; i++) breaker.failed();
    time.now = 499;
    expect(breaker.admits()).toBe(false);
    time.now = 500;
    expect([breaker.admits(), breaker.state, breaker.admits()]).toEqual([true, 'half-open', false]);
    breaker.failed();
    expect(breaker.state).toBe('open');
    time.now = 1_000;
    expect(breaker.admits()).toBe(true);
    breaker.succeeded();
    expect([breaker.state, breaker.admits(), breaker.admits()]).toEqual(['closed', true, true]);
  });

  it('probes again after a probe that never told its outcome', () => {
    const { breaker, time } = aBreaker();
    for (let i = 0; i < 3; i++) breaker.failed();
    time.now = 500;
    breaker.admits();
    breaker.undecided();
    time.now = 1_000;
    expect(breaker.admits()).toBe(true);
  });
});
