import { defaultPolicy, type ModelPolicy } from '@sextant/model-registry';
import type { FindingKind } from '@sextant/monitoring';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainingDue, type TrainingState, type TriggerAnswer } from './training-triggers.js';

const HOUR = 3_600_000;
const NOW = new Date('2026-03-10T12:00:00Z');
const COOLDOWN = HOUR;

function ago(hours: number): Date {
  return new Date(NOW.getTime() - hours * HOUR);
}

function aPolicy(retrain: Partial<ModelPolicy['retrain']>, rest: Partial<ModelPolicy> = {}): ModelPolicy {
  const policy = defaultPolicy('demo', 'lead');
  return { ...policy, ...rest, retrain: { ...policy.retrain, ...retrain } };
}

function aState(rest: Partial<TrainingState> = {}): TrainingState {
  const live = { version: 3, trainedAt: ago(30) };
  return {
    live,
    latestJob: { createdAt: ago(30), finishedAt: ago(29.9) },
    failedInARow: 0,
    reports: [],
    newEvents: 0,
    usedMinutes: 0,
    ...rest,
  };
}

function aReport(kinds: FindingKind[], version = 3): TrainingState['reports'][number] {
  const findings = kinds.map((kind) => ({
    kind,
    name: 'traits.country',
    sentence: `${kind} of traits.country.`,
    statistic: 1,
    threshold: 0.2,
  }));
  return { version, window: { from: ago(26), to: ago(2) }, findings, createdAt: ago(1.9) };
}

function due(policy: ModelPolicy, state: TrainingState, now = NOW): TriggerAnswer {
  return trainingDue(now, policy, state, COOLDOWN);
}

const triggerOf = (answer: TriggerAnswer): string | null =>
  answer === null ? null : 'wanted' in answer ? answer.wanted.trigger : `held by ${answer.held.heldBy}`;

describe('trainingDue', () => {
  it('asks for nothing where the policy sets nothing, whatever happens', () => {
    expect(due(aPolicy({}), aState({ newEvents: 1e9, reports: [aReport(['PERFORMANCE'])] }))).toBeNull();
  });

  it('follows a schedule: not a millisecond before the period ends', () => {
    const policy = aPolicy({ everyHours: 24 });
    const state = (createdAt: Date): TrainingState =>
      aState({ live: null, latestJob: { createdAt, finishedAt: createdAt } });
    expect(due(policy, state(ago(24)))).toMatchObject({ wanted: { trigger: 'SCHEDULE' } });
    expect(due(policy, state(new Date(ago(24).getTime() + 1)))).toBeNull();
  });

  it('trains at once on a schedule what was never trained', () => {
    const answer = due(aPolicy({ everyHours: 24 }), aState({ live: null, latestJob: null }));
    expect(triggerOf(answer)).toBe('SCHEDULE');
  });

  it.each([
    ['onDrift', 'FEATURE_SHIFT', 'DRIFT'],
    ['onDrift', 'SCORE_SHIFT', 'DRIFT'],
    ['onDrift', 'LABEL_SHIFT', 'DRIFT'],
    ['onPerformance', 'PERFORMANCE', 'PERFORMANCE'],
    ['onPerformance', 'LABEL_SHIFT', 'PERFORMANCE'],
    ['onDrift', 'GROUP_GAP', null],
    ['onDrift', 'PERFORMANCE', null],
    ['onPerformance', 'FEATURE_SHIFT', null],
  ] as const)('%s hears %s as %s', (wish, kind, trigger) => {
    expect(triggerOf(due(aPolicy({ [wish]: true }), aState({ reports: [aReport([kind])] })))).toBe(trigger);
  });

  it('tells the finding in the reason and asks once a window', () => {
    const policy = aPolicy({ onDrift: true });
    const answer = due(policy, aState({ reports: [aReport(['FEATURE_SHIFT'])] }));
    expect(answer).toMatchObject({
      wanted: {
        key: 'continuous/lead/DRIFT/3/2026-03-10T10:00:00.000Z',
        reason: expect.stringContaining('FEATURE_SHIFT of traits.country.') as string,
      },
    });
    expect(
      due(policy, aState({ reports: [aReport(['FEATURE_SHIFT'])] }), new Date(NOW.getTime() + 1)),
    ).toEqual(answer);
  });

  it('takes a report for answered by a training that began after it', () => {
    const answered = (hours: number): TriggerAnswer =>
      due(
        aPolicy({ onDrift: true }),
        aState({
          reports: [aReport(['SCORE_SHIFT'])],
          latestJob: { createdAt: ago(hours), finishedAt: ago(hours) },
        }),
      );
    expect([triggerOf(answered(1.9)), triggerOf(answered(1.91))]).toEqual([null, 'DRIFT']);
  });

  it('does not act on what was found of another version', () => {
    expect(due(aPolicy({ onDrift: true }), aState({ reports: [aReport(['FEATURE_SHIFT'], 2)] }))).toBeNull();
  });

  it.each(['FEATURE_MISSING', 'FEATURE_STALE'] as const)(
    'waits for repaired data where there is %s',
    (kind) => {
      const answer = due(aPolicy({ onDrift: true }), aState({ reports: [aReport(['SCORE_SHIFT', kind])] }));
      expect(triggerOf(answer)).toBe('held by data');
    },
  );

  it('counts events from the last training on', () => {
    const policy = aPolicy({ onNewEvents: 1_000 });
    expect(triggerOf(due(policy, aState({ newEvents: 999 })))).toBeNull();
    expect(triggerOf(due(policy, aState({ newEvents: 1_000 })))).toBe('VOLUME');
  });

  it('waits while a training of the task is on its way', () => {
    const latestJob = { createdAt: ago(1), finishedAt: null };
    expect(triggerOf(due(aPolicy({ onNewEvents: 1 }), aState({ newEvents: 5, latestJob })))).toBe(
      'held by job',
    );
  });

  it('pauses after a training, and twice as long after each failure, a day at most', () => {
    const policy = aPolicy({ onNewEvents: 1 });
    const after = (hours: number, failedInARow: number): string | null => {
      const latestJob = { createdAt: ago(hours), finishedAt: ago(hours) };
      return triggerOf(due(policy, aState({ newEvents: 5, latestJob, failedInARow })));
    };
    expect([after(0.99, 0), after(1, 0)]).toEqual(['held by cooldown', 'VOLUME']);
    expect([after(3.99, 2), after(4, 2)]).toEqual(['held by cooldown', 'VOLUME']);
    expect([after(23.9, 50), after(24, 50)]).toEqual(['held by cooldown', 'VOLUME']);
  });

  it('waits where the budget of the last 24 hours is used, and passes on what is left', () => {
    const policy = aPolicy({ onNewEvents: 1 }, { computeMinutesPerDay: 60 });
    expect(triggerOf(due(policy, aState({ newEvents: 5, usedMinutes: 59.5 })))).toBe('held by budget');
    expect(due(policy, aState({ newEvents: 5, usedMinutes: 50 }))).toMatchObject({
      wanted: { maxMinutes: 10 },
    });
  });

  it('never asks while it must wait, in any state; the same state always gives the same answer', () => {
    const kinds = fc.subarray<FindingKind>(['FEATURE_SHIFT', 'FEATURE_MISSING', 'PERFORMANCE', 'GROUP_GAP']);
    const states = fc.record({
      createdHoursAgo: fc.double({ min: 0.01, max: 100, noNaN: true }),
      ranHours: fc.option(fc.double({ min: 0, max: 2, noNaN: true })),
      failedInARow: fc.nat(8),
      newEvents: fc.nat(3_000),
      usedMinutes: fc.double({ min: 0, max: 120, noNaN: true }),
      everyHours: fc.option(fc.integer({ min: 1, max: 48 })),
      budget: fc.option(fc.integer({ min: 1, max: 100 })),
      kinds,
    });
    fc.assert(
      fc.property(states, (s) => {
        const finishedAt = s.ranHours === null ? null : ago(Math.max(0, s.createdHoursAgo - s.ranHours));
        const state = aState({
          latestJob: { createdAt: ago(s.createdHoursAgo), finishedAt },
          failedInARow: s.failedInARow,
          newEvents: s.newEvents,
          usedMinutes: s.usedMinutes,
          reports: [aReport(s.kinds)],
        });
        const policy = aPolicy(
          { everyHours: s.everyHours, onDrift: true, onPerformance: true, onNewEvents: 1_000 },
          { computeMinutesPerDay: s.budget },
        );
        const answer = due(policy, state);
        expect(due(policy, state)).toEqual(answer);
        if (answer === null || 'held' in answer) return;
        expect(finishedAt).not.toBeNull();
        expect(NOW.getTime() - (finishedAt?.getTime() ?? 0)).toBeGreaterThanOrEqual(COOLDOWN);
        if (s.budget !== null) expect(answer.wanted.maxMinutes).toBeGreaterThanOrEqual(1);
        if (answer.wanted.report) expect(s.kinds).not.toContain('FEATURE_MISSING');
      }),
    );
  });
});
