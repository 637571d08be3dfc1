import { describe, expect, it } from 'vitest';
import { remainingMs, startBudget } from './budget.js';

/** Milliseconds left, give or take what a loaded machine takes between two lines. */
const leftOf = (...given: Parameters<typeof startBudget>): number => remainingMs([startBudget(...given)]);

describe('startBudget', () => {
  it('is what the query names, else the default', () => {
    expect(leftOf(300, 200, {})).toBeCloseTo(300, -2);
    expect(leftOf(null, 200, {})).toBeCloseTo(200, -2);
  });

  it('ends 10 ms before the request does', () => {
    const left = leftOf(5_000, 200, { deadlineMs: Date.now() + 1_000 });
    expect(left).toBeLessThanOrEqual(991);
    expect(left).toBeGreaterThan(800);
  });

  it('is over already for a request that is', () => {
    expect(leftOf(200, 200, { deadlineMs: Date.now() - 1 })).toBeLessThan(0);
  });

  it('is not made longer by a late deadline', () => {
    expect(leftOf(300, 200, { deadlineMs: Date.now() + 60_000 })).toBeLessThanOrEqual(300);
  });

  it.each([4, 5_001])('refuses %d ms', (budgetMs) => {
    expect(() => startBudget(budgetMs, 200, {})).toThrow(`between 5 and 5000, got ${budgetMs}`);
  });
});
