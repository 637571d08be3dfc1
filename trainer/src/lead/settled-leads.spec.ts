import { describe, expect, it } from 'vitest';
import type { ScoreExample } from '../score-task/score-example.js';
import { settledLeads } from './settled-leads.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-03-01T00:00:00Z');

describe('settledLeads', () => {
  const at = (daysAgo: number): ScoreExample => ({
    customerId: 'c',
    at: NOW.getTime() - daysAgo * DAY_MS,
    features: {},
    label: 0,
  });

  it('leaves out leads whose horizon has not passed, to the instant', () => {
    const { examples, notes } = settledLeads([at(40), at(30), at(30 - 1 / 86_400_000)], 30, NOW);

    expect(examples).toHaveLength(2);
    expect(notes).toEqual([expect.stringContaining('1 examples left out')]);
  });

  it('keeps all where less than half would be left, and says so', () => {
    const { examples, notes } = settledLeads([at(40), at(1), at(2)], 30, NOW);

    expect(examples).toHaveLength(3);
    expect(notes).toEqual([expect.stringContaining('2 of 3')]);
  });
});
