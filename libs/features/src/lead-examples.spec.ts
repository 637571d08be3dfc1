import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyState } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { leadVector } from './feature-vector.js';
import { foldEvents } from './fold-events.js';
import { leadExamples } from './lead-examples.js';
import { anEvent, anyEvents } from './stored-event.fixture.js';

const at = (days: number): Date => new Date(Date.UTC(2026, 0, 1) + days * DAY_MS);
const form = (days: number, properties = {}) => anEvent({ type: 'lead_submitted', at: at(days), properties });
const outcome = (days: number, won: boolean) =>
  anEvent({ type: 'sales_outcome', at: at(days), properties: { won } });
const labels = (events: Parameters<typeof leadExamples>[0], now = at(365)) =>
  leadExamples(events, { horizonDays: 30, now }).map(({ label }) => label);

describe('leadExamples', () => {
  it('labels by the first outcome within the horizon, the last day included', () => {
    expect(labels([form(0), outcome(5, true)])).toEqual([1]);
    expect(labels([form(0), outcome(5, false), outcome(6, true)])).toEqual([0]);
    expect(labels([form(0), outcome(30, true)])).toEqual([1]);
    expect(labels([form(0), outcome(30.001, true)])).toEqual([0]);
    expect(labels([outcome(0, true), form(1)])).toEqual([0]);
  });

  it('leaves an undecided form out until its horizon has passed', () => {
    expect(labels([form(0)], at(30))).toEqual([]);
    expect(labels([form(0)], at(30.001))).toEqual([0]);
    expect(labels([form(0), outcome(5, true)], at(4))).toEqual([]);
  });

  it('takes an outcome of the very instant of the form, and keeps it out of the features', () => {
    const [example] = leadExamples([outcome(1, true), form(1, { age: 40 })], { horizonDays: 30, now: at(2) });
    const [alone] = leadExamples([form(1, { age: 40 })], { horizonDays: 30, now: at(99) });
    expect(example?.label).toBe(1);
    expect(example?.features).toEqual(alone?.features);
    expect(example?.features['form.age']).toBe(40);
  });

  it('folds what was strictly before the form, even when it arrived late, and nothing of its instant or later', () => {
    const visits = [anEvent({ at: at(0) }), anEvent({ at: at(1) }), anEvent({ at: at(2) })];
    const [example] = leadExamples([form(1), outcome(2, true), ...visits], { horizonDays: 30, now: at(99) });
    expect(example?.features['count.page_visit.total']).toBe(1);
  });

  it('trains on the very vector that serving reads from the online state', () => {
    fc.assert(
      fc.property(anyEvents(), (events) => {
        const newest = leadExamples(events, { horizonDays: 1, now: at(400) }).at(-1);
        expect(leadVector(foldEvents(emptyState('c'), events))).toEqual(newest?.features ?? null);
      }),
      { numRuns: 100 },
    );
  });

  it('has the features of a form unchanged by whatever happens after it', () => {
    fc.assert(
      fc.property(anyEvents(), anyEvents(), fc.nat(30), (events, others, day) => {
        const past = events.filter((event) => event.at <= at(day));
        const future = others.map((event) => ({
          ...event,
          _id: `${event._id}-later`,
          at: new Date(event.at.getTime() + 31 * DAY_MS),
        }));
        const featuresOf = (history: typeof events) =>
          leadExamples(history, { horizonDays: 1, now: at(400) })
            .filter((example) => example.at <= at(day))
            .map(({ features }) => features);
        expect(featuresOf([...future, ...past])).toEqual(featuresOf(past));
      }),
      { numRuns: 100 },
    );
  });

  it('refuses a horizon of nothing', () => {
    expect(() => leadExamples([], { horizonDays: 0, now: at(0) })).toThrow(RangeError);
  });
});
