import { describe, expect, it } from 'vitest';
import { type ScoreExample, toTableExamples } from './score-example.js';

describe('toTableExamples', () => {
  it('orders by time, then customer, whatever the order it is given', () => {
    const leads = [5, 1, 5].map((at, i): ScoreExample => ({
      customerId: `c${2 - i}`,
      at,
      features: { n: i },
      label: i === 1 ? 1 : 0,
    }));
    const data = toTableExamples(leads);

    expect(data.groupIds).toEqual(['c1', 'c0', 'c2']);
    expect([...data.at]).toEqual([1, 5, 5]);
    expect([...data.labels]).toEqual([1, 0, 0]);
    expect(toTableExamples(leads.toReversed())).toEqual(data);
  });
});
