import { describe, expect, it } from 'vitest';
import { type LeadExample, settledExamples, toTableExamples } from './lead-example.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-03-01T00:00:00Z');

describe('toTableExamples', () => {
  it('orders by time, then customer, whatever the order it is given', () => {
    const leads = [5, 1, 5].map((at, i): LeadExample => ({
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

describe('settledExamples', () => {
  const at = (daysAgo: number): LeadExample => ({
    customerId: 'c',
    at: NOW.getTime() - daysAgo * DAY_MS,
    features: {},
    label: 0,
  });

  it('leaves out leads whose horizon has not passed, to the instant', () => {
    const { examples, notes } = settledExamples([at(40), at(30), at(30 - 1 / 86_400_000)], 30, NOW);

    expect(examples).toHaveLength(2);
    expect(notes).toEqual([expect.stringContaining('1 examples left out')]);
  });

  it('keeps all where less than half would be left, and says so', () => {
    const { examples, notes } = settledExamples([at(40), at(1), at(2)], 30, NOW);

    expect(examples).toHaveLength(3);
    expect(notes).toEqual([expect.stringContaining('2 of 3')]);
  });
});
