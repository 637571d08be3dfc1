import { describe, expect, it } from 'vitest';
import { scoreByEngagement } from './engagement-rule.js';

describe('scoreByEngagement', () => {
  it('starts from one in twenty and says how unsure it is', () => {
    expect(scoreByEngagement({})).toMatchObject({ band: 'COLD', percentile: 30, intervalLevel: 0.8 });
    expect(scoreByEngagement({}).probability).toBeCloseTo(0.05, 12);
    expect(scoreByEngagement({}).low).toBeCloseTo(1 / 96, 12);
  });

  it('rises with a visit of the last seven days and with engagement, and falls after sixty days', () => {
    const at = (days: number, orders = 0) =>
      scoreByEngagement({ 'recency.days': days, 'count.order.total': orders });
    expect(at(7).probability).toBeCloseTo(3 / 22, 12);
    expect(at(7.01).probability).toBeCloseTo(0.05, 12);
    expect(at(60).probability).toBeCloseTo(0.05, 12);
    expect(at(60.01).probability).toBeLessThan(0.03);
    expect([at(7).band, at(7, 1).band, at(7, 1).percentile]).toEqual(['WARM', 'HOT', 95]);
  });
});
