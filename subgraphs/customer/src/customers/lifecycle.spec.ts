import { DAY_MS } from '@sextant/features';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activityFilter, LIFECYCLE_STAGES, lifecycleOf } from './lifecycle.js';

const NOW = new Date('2026-03-01T00:00:00Z');
const ago = (days: number, ms = 0): Date => new Date(NOW.getTime() - days * DAY_MS - ms);
const stageOf = (lastActiveAt: Date | null, engagedAt: Date | null = null, leadAt: Date | null = null) =>
  lifecycleOf({ lastActiveAt, engagedAt, leadAt }, NOW);

describe('lifecycleOf', () => {
  it('is ANONYMOUS or LEAD before the first order or interaction, however long ago', () => {
    expect(stageOf(null)).toBe('ANONYMOUS');
    expect(stageOf(ago(400))).toBe('ANONYMOUS');
    expect(stageOf(ago(400), null, ago(400))).toBe('LEAD');
  });

  it.each([
    ['NEW', ago(30), ago(30)],
    ['ACTIVE', ago(30), ago(30, 1)],
    ['AT_RISK', ago(30, 1), ago(99)],
    ['AT_RISK', ago(90), ago(99)],
    ['DORMANT', ago(90, 1), ago(99)],
    ['DORMANT', ago(180), ago(999)],
    ['CHURNED', ago(180, 1), ago(999)],
  ] as const)('is %s at its bound', (stage, lastActiveAt, engagedAt) => {
    expect(stageOf(lastActiveAt, engagedAt)).toBe(stage);
  });

  it('is the one stage whose filter holds', () => {
    const instant = fc.option(fc.integer({ min: 0, max: 400 }).map((days) => ago(days)));
    fc.assert(
      fc.property(instant, instant, instant, (seen, engagedAt, leadAt) => {
        const lastActiveAt = seen ?? engagedAt; // whoever is engaged was active
        const activity = { lastActiveAt, engagedAt, leadAt };
        const matching = LIFECYCLE_STAGES.filter((stage) => matches(activity, activityFilter(stage, NOW)));
        expect(matching).toEqual([lifecycleOf(activity, NOW)]);
      }),
    );
  });
});

/** What the store does with these few operators. */
function matches(activity: object, filter: object): boolean {
  const values = new Map<string, Date | null>(Object.entries(activity));
  return Object.entries(filter).every(([name, condition]: [string, Record<string, Date | null> | null]) => {
    const value = values.get(name) ?? null;
    if (condition === null) return value === null;
    return value !== null && inRange(value, condition);
  });
}

function inRange(value: Date, { $gte, $lt }: Record<string, Date | null>): boolean {
  return (!$gte || value >= $gte) && (!$lt || value < $lt);
}
