import { describe, expect, it } from 'vitest';
import { emptyState } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { featureVector } from './feature-vector.js';
import { scoreInput } from './score-input.js';

const NOW = new Date('2026-03-01T00:00:00Z');
const seenDaysAgo = (days: number) => ({
  ...emptyState('c1'),
  engagedAt: 0,
  counters: { order: { total: 1, at: NOW.getTime() - days * DAY_MS, decayed: [1, 1, 1, 1] } },
});

describe('what a score model is asked about', () => {
  it('is the newest form of a lead, and the behaviour of who sent none', () => {
    const lead = { eventId: 'e1', at: 1, features: { 'form.budget': 5 } };
    expect(scoreInput('lead', { ...emptyState('c1'), lead }, NOW)).toEqual({
      basis: 'FORM',
      features: lead.features,
    });
    expect(scoreInput('lead', emptyState('c1'), NOW)).toEqual({
      basis: 'BEHAVIOUR',
      features: featureVector(emptyState('c1'), NOW),
    });
  });

  it('says of churn that somebody away for more than 90 days is no customer it knows', () => {
    expect(scoreInput('churn', seenDaysAgo(90), NOW).basis).toBe('BEHAVIOUR');
    expect(scoreInput('churn', seenDaysAgo(90.001), NOW).basis).toBe('UNFAMILIAR');
    expect(scoreInput('purchase', seenDaysAgo(90.001), NOW).basis).toBe('BEHAVIOUR');
  });
});
