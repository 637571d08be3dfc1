import { defaultPolicy, type RolloutPolicy, type Stage } from '@sextant/model-registry';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Judgement } from './challenger-guard.js';
import { nextMove, type RolloutVersion } from './rollout-steps.js';

const NOW = new Date('2026-03-10T12:00:00Z');
const STAGED: RolloutPolicy = {
  mode: 'GATED',
  shadowMinutes: 60,
  shadowShare: 0.2,
  canaryMinutes: 120,
  canaryShare: 0.05,
};
const CONTENT: Judgement = { verdict: 'CONTENT', sentence: '500 answers, 0 failures' };
const TOO_LITTLE: Judgement = { verdict: 'TOO_LITTLE', sentence: '3 answers, 0 failures' };
const STOP: Judgement = { verdict: 'STOP', reason: 'slower', sentence: 'slower' };

function aVersion(version: number, stage: Stage, rest: Partial<RolloutVersion> = {}): RolloutVersion {
  const id = `demo.lead@${version}`;
  return { id, version, stage, since: minutesAgo(1), isTrained: true, passedGates: true, ...rest };
}

function minutesAgo(minutes: number): Date {
  return new Date(NOW.getTime() - minutes * 60_000);
}

function toOf(rollout: RolloutPolicy, versions: RolloutVersion[], judgement: Judgement | null = null) {
  return nextMove(NOW, rollout, versions, judgement)?.to ?? null;
}

describe('nextMove', () => {
  const live = aVersion(1, 'LIVE');

  it('leaves everything to people where the policy is manual', () => {
    const manual = { ...STAGED, mode: 'MANUAL' as const };
    expect(toOf(manual, [aVersion(2, 'CANDIDATE'), live])).toBeNull();
    expect(toOf(manual, [aVersion(2, 'SHADOW', { since: minutesAgo(999) }), live], CONTENT)).toBeNull();
  });

  it('puts a candidate that passed its gates into the shadow, with the share of the policy', () => {
    const move = nextMove(NOW, STAGED, [aVersion(2, 'CANDIDATE'), live], null);
    expect(move).toMatchObject({ id: 'demo.lead@2', to: 'SHADOW', share: 0.2 });
  });

  it.each([
    [0, 120, 'CANARY'],
    [60, 0, 'SHADOW'],
    [0, 0, 'LIVE'],
  ])('with %d shadow and %d canary minutes a candidate becomes %s', (shadowMinutes, canaryMinutes, to) => {
    const rollout = { ...STAGED, shadowMinutes, canaryMinutes };
    expect(toOf(rollout, [aVersion(2, 'CANDIDATE'), live])).toBe(to);
  });

  it('puts the first version live, since there is nothing to compare it with', () => {
    expect(toOf(STAGED, [aVersion(1, 'CANDIDATE')])).toBe('LIVE');
    expect(toOf(STAGED, [aVersion(1, 'CANDIDATE', { passedGates: false })])).toBeNull();
  });

  it.each([
    ['failed a gate', aVersion(2, 'CANDIDATE', { passedGates: false })],
    ['was imported', aVersion(2, 'CANDIDATE', { isTrained: false })],
    ['was retired', aVersion(2, 'RETIRED')],
  ])('does not move a version that %s', (_, version) => {
    expect(toOf(STAGED, [version, live])).toBeNull();
  });

  it('does not bring back a candidate that a later version has overtaken', () => {
    expect(toOf(STAGED, [aVersion(3, 'RETIRED'), aVersion(2, 'CANDIDATE'), live])).toBeNull();
  });

  it('leaves a version where a person put it, in a stage that the policy passes over', () => {
    const rollout = { ...STAGED, shadowMinutes: 0, canaryMinutes: 0 };
    for (const stage of ['SHADOW', 'CANARY'] as const) {
      const versions = [aVersion(2, stage, { since: minutesAgo(9_999) }), live];
      expect(toOf(rollout, versions, CONTENT)).toBeNull();
    }
  });

  it('waits with the next candidate until the challenger has gone its way', () => {
    const versions = [aVersion(3, 'CANDIDATE'), aVersion(2, 'SHADOW'), live];
    expect(toOf(STAGED, versions, CONTENT)).toBeNull();
  });

  it.each([
    ['SHADOW', 59.99, CONTENT, null],
    ['SHADOW', 60, CONTENT, 'CANARY'],
    ['CANARY', 119.99, CONTENT, null],
    ['CANARY', 120, CONTENT, 'LIVE'],
    ['CANARY', 479, TOO_LITTLE, null],
    ['CANARY', 480, TOO_LITTLE, 'LIVE'],
    ['CANARY', 9_999, STOP, null],
    ['CANARY', 9_999, null, null],
  ] as const)('a %s of %d minutes with %j goes to %s', (stage, minutes, judgement, to) => {
    expect(toOf(STAGED, [aVersion(2, stage, { since: minutesAgo(minutes) }), live], judgement)).toBe(to);
  });

  it('never moves backwards and never puts a version live that is stopped or failed its gates', () => {
    const stages = fc.constantFrom<Stage>('CANDIDATE', 'SHADOW', 'CANARY', 'LIVE', 'RETIRED');
    const order: Stage[] = ['CANDIDATE', 'SHADOW', 'CANARY', 'LIVE'];
    fc.assert(
      fc.property(
        fc.array(fc.record({ stage: stages, minutes: fc.nat(1_000), passedGates: fc.boolean() }), {
          maxLength: 6,
        }),
        fc.constantFrom(CONTENT, TOO_LITTLE, STOP, null),
        fc.nat(200),
        (rows, judgement, shadowMinutes) => {
          const versions = rows.map(({ stage, minutes, passedGates }, i) =>
            aVersion(rows.length - i, stage, { since: minutesAgo(minutes), passedGates }),
          );
          const rollout = { ...defaultPolicy('demo', 'lead').rollout, ...STAGED, shadowMinutes };
          const move = nextMove(NOW, rollout, versions, judgement);
          if (!move) return;
          const moved = versions.find(({ id }) => id === move.id);
          expect(moved?.passedGates).toBe(true);
          expect(order.indexOf(move.to)).toBeGreaterThan(order.indexOf(moved?.stage ?? 'LIVE'));
          if (moved?.stage !== 'CANDIDATE') expect(judgement?.verdict).not.toBe('STOP');
        },
      ),
    );
  });
});
