import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BehaviourTask, behaviourExamples, isActiveCustomer } from './behaviour-examples.js';
import { emptyState } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { featureVector } from './feature-vector.js';
import { foldEvents } from './fold-events.js';
import { anEvent, anyEvents } from './stored-event.fixture.js';

const START = Date.UTC(2026, 0, 1);
const at = (days: number): Date => new Date(START + days * DAY_MS);
const order = (days: number) => anEvent({ type: 'order', at: at(days), properties: {} });
const visit = (days: number) => anEvent({ type: 'page_visit', at: at(days) });
const OPTIONS = { horizonDays: 10, until: at(100), snapshots: 1, phase: 0 };
const label = (task: BehaviourTask, ...events: Parameters<typeof behaviourExamples>[1]) =>
  behaviourExamples(task, events, OPTIONS).map((example) => example.label);
const TASKS: BehaviourTask[] = ['churn', 'purchase'];

describe('behaviourExamples', () => {
  it('takes a snapshot a horizon, oldest first, none of whose labels reaches beyond the end', () => {
    const timesOf = (phase: number) =>
      behaviourExamples('purchase', [visit(0)], { ...OPTIONS, snapshots: 3, phase }).map((e) => e.at);
    expect(timesOf(0)).toEqual([at(70), at(80), at(90)]);
    expect(timesOf(0.5)).toEqual([at(65), at(75), at(85)]);
  });

  it('labels a purchase by an order from the instant of the snapshot to just before the end of the horizon', () => {
    expect(label('purchase', visit(1), order(90))).toEqual([1]);
    expect(label('purchase', visit(1), order(99.999))).toEqual([1]);
    expect(label('purchase', visit(1), order(100))).toEqual([0]);
    expect(label('purchase', order(89.999))).toEqual([0]);
    expect(label('purchase', order(1), visit(95))).toEqual([0]);
  });

  it('labels churn by the absence of any visit, view, order or interaction in the horizon', () => {
    expect(label('churn', order(89.999))).toEqual([1]);
    expect(label('churn', order(80), visit(90))).toEqual([0]);
    expect(label('churn', order(80), visit(99.999))).toEqual([0]);
    expect(label('churn', order(80), visit(100))).toEqual([1]);
    expect(label('churn', order(80), anEvent({ type: 'email_open', at: at(95) }))).toEqual([1]);
    for (const type of ['product_view', 'order', 'interaction'])
      expect(label('churn', order(80), anEvent({ type, at: at(95) }))).toEqual([0]);
  });

  it('has churn only of those who were customers, and there within 90 days; purchase of anyone known', () => {
    expect(label('churn', visit(80))).toEqual([]);
    expect(label('churn', order(0), visit(0))).toEqual([1]);
    expect(label('churn', order(-0.001))).toEqual([]);
    expect(label('churn', order(-50), visit(0))).toEqual([1]);
    expect(label('churn', order(-50), anEvent({ type: 'email_open', at: at(80) }))).toEqual([]);
    expect(label('purchase', anEvent({ type: 'email_sent', at: at(80) }))).toEqual([0]);
    expect(label('purchase', order(95))).toEqual([]);
    expect(label('purchase')).toEqual([]);
  });

  it('sees the very vector that serving computes from the online state at that instant', () => {
    fc.assert(
      fc.property(anyEvents(), fc.constantFrom(...TASKS), (events, task) => {
        const until = at(31);
        for (const example of behaviourExamples(task, events, {
          horizonDays: 7,
          until,
          snapshots: 3,
          phase: 0.25,
        })) {
          const before = events.filter((event) => event.at < example.at);
          const state = foldEvents(emptyState('c'), before);
          expect(example.features).toEqual(featureVector(state, example.at));
          if (task === 'churn') expect(isActiveCustomer(state, example.at)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has features, and which examples there are, unchanged by whatever happens from the snapshot on', () => {
    fc.assert(
      fc.property(anyEvents(), anyEvents(), fc.constantFrom(...TASKS), (events, others, task) => {
        const options = { horizonDays: 20, until: at(40), snapshots: 1, phase: 0 };
        const past = events.filter((event) => event.at < at(20));
        const future = others.map((event) => ({
          ...event,
          _id: `${event._id}-later`,
          at: new Date(event.at.getTime() + 20 * DAY_MS),
        }));
        const featuresOf = (history: typeof events) =>
          behaviourExamples(task, history, options).map(({ features, at: when }) => ({ features, when }));
        expect(featuresOf([...future, ...past])).toEqual(featuresOf(past));
      }),
      { numRuns: 100 },
    );
  });

  it('has labels unchanged by whatever happens after the horizon', () => {
    fc.assert(
      fc.property(anyEvents(), fc.constantFrom(...TASKS), (events, task) => {
        const options = { horizonDays: 5, until: at(20), snapshots: 2, phase: 0.5 };
        const known = events.filter((event) => event.at < at(20));
        expect(behaviourExamples(task, events, options)).toEqual(behaviourExamples(task, known, options));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses options out of range', () => {
    for (const wrong of [
      { horizonDays: 0 },
      { snapshots: 0 },
      { snapshots: 1.5 },
      { phase: 1 },
      { phase: -0.1 },
    ])
      expect(() => behaviourExamples('churn', [], { ...OPTIONS, ...wrong })).toThrow(RangeError);
  });
});

describe('isActiveCustomer', () => {
  it('is nobody of whom nothing is known', () => {
    expect(isActiveCustomer(emptyState('c'), at(0))).toBe(false);
  });
});
