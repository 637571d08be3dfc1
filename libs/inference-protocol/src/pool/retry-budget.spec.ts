import { describe, expect, it } from 'vitest';
import { LatencyWindow } from './latency-window.js';
import { RetryBudget } from './retry-budget.js';

describe('the budget of retries', () => {
  it('allows the reserve, and then its share of the calls', () => {
    const budget = new RetryBudget(0.125, 2);
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false]);
    let taken = 0;
    for (let call = 0; call < 80; call++) {
      budget.payIn();
      if (budget.take()) taken += 1;
    }
    expect(taken).toBe(10);
  });

  it('saves up no more than the reserve', () => {
    const budget = new RetryBudget(1, 3);
    for (let call = 0; call < 100; call++) budget.payIn();
    expect(Array.from({ length: 5 }, () => budget.take())).toEqual([true, true, true, false, false]);
  });
});

describe('the latest latencies', () => {
  it('have a quantile by the nearest rank from 20 samples on', () => {
    const window = new LatencyWindow(0.95);
    for (let i = 1; i <= 19; i++) window.record(i);
    expect(window.read()).toBeUndefined();
    window.record(20);
    expect(window.read()).toBe(19);
  });

  it('forget what is older than 128 samples', () => {
    const window = new LatencyWindow(1);
    window.record(1_000);
    for (let i = 0; i < 127; i++) window.record(1);
    expect(window.read()).toBe(1_000);
    for (let i = 0; i < 16; i++) window.record(2);
    expect(window.read()).toBe(2);
  });
});
