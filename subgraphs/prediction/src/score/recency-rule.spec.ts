import { describe, expect, it } from 'vitest';
import { churnByRecency, purchaseByRecency } from './recency-rule.js';

describe('churnByRecency', () => {
  const at = (days: number | null) => churnByRecency({ 'recency.days': days });

  it('doubles the odds with each half month of absence', () => {
    expect(at(0).probability).toBeCloseTo(1 / 7, 12);
    expect(at(15).probability).toBeCloseTo(2 / 8, 12);
    expect(at(30).probability).toBeCloseTo(4 / 10, 12);
    expect(at(0)).toMatchObject({ band: 'LOW', percentile: 30, intervalLevel: 0.8 });
    expect(at(15).band).toBe('MEDIUM');
    expect(at(60).band).toBe('HIGH');
  });

  it('knows nothing of somebody who was never seen, and nothing more after half a year', () => {
    expect(at(null).probability).toBe(0.5);
    expect(churnByRecency({}).probability).toBe(0.5);
    expect(at(10_000)).toEqual(at(180));
    expect(at(10_000).high).toBeLessThan(1);
  });
});

describe('purchaseByRecency', () => {
  const at = (days: number | null) => purchaseByRecency({ 'recency.order.days': days });

  it('halves the odds with each half month since the last order', () => {
    expect(at(0).probability).toBeCloseTo(1 / 6, 12);
    expect(at(15).probability).toBeCloseTo(1 / 11, 12);
    expect([at(0).band, at(15).band, at(60).band]).toEqual(['HIGH', 'MEDIUM', 'LOW']);
    expect(at(0).low).toBeCloseTo(1 / 26, 12);
    expect(at(0).high).toBeCloseTo(1 / 2, 12);
  });

  it('gives somebody who never ordered a small chance', () => {
    expect(at(null).probability).toBeCloseTo(1 / 51, 12);
    expect(at(null).band).toBe('LOW');
  });
});
