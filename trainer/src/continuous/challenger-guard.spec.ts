import { seededRandom } from '@sextant/learning';
import { type LatencyCounts, NO_SHADOW } from '@sextant/monitoring';
import { describe, expect, it } from 'vitest';
import { type ArmTraffic, type ChallengerFigures, judgeChallenger } from './challenger-guard.js';

const BOUNDS = [0.5, 1, 2.5, 5, 10, 25, 50, 100];

function latencies(times: readonly number[]): LatencyCounts {
  const counts = new Array<number>(BOUNDS.length + 1).fill(0);
  for (const ms of times) {
    const at = BOUNDS.findIndex((bound) => ms <= bound);
    const slot = at < 0 ? BOUNDS.length : at;
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return { boundsMs: BOUNDS, counts, sumMs: times.reduce((sum, ms) => sum + ms, 0) };
}

function anArm(calls: number, rest: Partial<ArmTraffic> & { ms?: number } = {}): ArmTraffic {
  const { ms = 2, ...traffic } = rest;
  const times = Array.from({ length: calls }, () => ms);
  return {
    ...{
      calls,
      failures: 0,
      latency: latencies(times),
      batches: calls,
      rows: calls,
      computeMs: calls * ms * 0.6,
    },
    shadow: NO_SHADOW,
    ...traffic,
  };
}

function figures(rest: Partial<ChallengerFigures>): ChallengerFigures {
  return {
    stage: 'CANARY',
    live: anArm(5_000),
    challenger: anArm(500),
    invalid: null,
    comparison: null,
    ...rest,
  };
}

function shadow(runs: number, failures = 0) {
  return { ...NO_SHADOW, runs, failures, values: runs };
}

describe('judgeChallenger', () => {
  it('is content with a canary that answers as the live version does', () => {
    expect(judgeChallenger(figures({}))).toMatchObject({ verdict: 'CONTENT' });
  });

  it('says where it has seen too little', () => {
    expect(judgeChallenger(figures({ challenger: anArm(199) })).verdict).toBe('TOO_LITTLE');
    expect(judgeChallenger(figures({ challenger: anArm(200) })).verdict).toBe('CONTENT');
  });

  it.each([
    [2.4, 'CONTENT'],
    [9, 'STOP'],
    [30, 'STOP'],
  ])('of a canary whose calls take %d ms in place of 2 it says %s', (ms, verdict) => {
    const slow = anArm(500, { ms });
    expect(judgeChallenger(figures({ challenger: slow })).verdict).toBe(verdict);
  });

  it('names what it stops for, in figures', () => {
    expect(judgeChallenger(figures({ challenger: anArm(500, { ms: 30 }) }))).toEqual({
      verdict: 'STOP',
      reason: 'slower',
      sentence: expect.stringMatching(
        /of its calls is \d+\.\d ms, of the live version's \d+\.\d ms/,
      ) as string,
    });
  });

  it('does not blame a canary for the time that its calls wait', () => {
    const waiting = { ...anArm(500, { ms: 30 }), computeMs: 500 * 1.2 };
    expect(judgeChallenger(figures({ challenger: waiting })).verdict).toBe('CONTENT');
  });

  it('does not stop on the slow calls after a load', () => {
    expect(judgeChallenger(figures({ challenger: anArm(49, { ms: 90 }) })).verdict).toBe('TOO_LITTLE');
    expect(judgeChallenger(figures({ challenger: anArm(50, { ms: 90 }) })).verdict).toBe('STOP');
  });

  it('stops a shadow whose runs take longer, by batch and by row', () => {
    const live = anArm(2_000, { rows: 4_000, computeMs: 2_000 * 0.5 });
    const runs = { shadow: shadow(400), batches: 400, rows: 400 };
    const slow = anArm(0, { ...runs, computeMs: 400 * 6 });
    const equal = anArm(0, { ...runs, computeMs: 400 * 0.6 });
    expect(judgeChallenger(figures({ stage: 'SHADOW', live, challenger: slow }))).toMatchObject({
      reason: 'slower',
    });
    expect(judgeChallenger(figures({ stage: 'SHADOW', live, challenger: equal })).verdict).toBe('CONTENT');
  });

  it.each([
    [0, 'CONTENT'],
    [2, 'CONTENT'],
    [40, 'STOP'],
  ])('of a canary with %d failures of 500 it says %s', (failures, verdict) => {
    const judged = judgeChallenger(figures({ challenger: anArm(500, { failures }) }));
    expect(judged.verdict).toBe(verdict);
  });

  it('does not blame a challenger for what happens to the live version too', () => {
    const live = anArm(5_000, { failures: 500 });
    const judged = judgeChallenger(figures({ live, challenger: anArm(500, { failures: 55 }) }));
    expect(judged.verdict).toBe('CONTENT');
  });

  it('stops a shadow that fails, NaN where the live version has numbers included', () => {
    const failing = anArm(0, { shadow: shadow(100, 60), batches: 160, rows: 160, computeMs: 80 });
    expect(judgeChallenger(figures({ stage: 'SHADOW', challenger: failing }))).toMatchObject({
      reason: 'failing',
    });
  });

  it('stops a challenger whose answers are out of range', () => {
    const judged = judgeChallenger(figures({ invalid: { answers: 20, of: 500 } }));
    expect(judged).toMatchObject({ reason: 'invalid-answers' });
    expect(judgeChallenger(figures({ invalid: { answers: 0, of: 500 } })).verdict).toBe('CONTENT');
  });

  it('stops one that is worse on known outcomes, and tells by how much', () => {
    const comparison = { decisions: 900, difference: 0.04, low: 0.01, high: 0.07, level: 0.99 };
    const judged = judgeChallenger(figures({ comparison: { ...comparison, verdict: 'WORSE' } }));
    expect(judged).toMatchObject({ reason: 'worse', sentence: expect.stringContaining('0.0400') as string });
    expect(judgeChallenger(figures({ comparison: { ...comparison, verdict: 'UNDECIDED' } })).verdict).toBe(
      'CONTENT',
    );
  });

  it('stops one that nobody hears of while the live version is busy', () => {
    const none = anArm(0, { batches: 0, rows: 0, computeMs: 0 });
    expect(judgeChallenger(figures({ challenger: none }))).toMatchObject({ reason: 'silent' });
    expect(judgeChallenger(figures({ live: anArm(1_999), challenger: none })).verdict).toBe('TOO_LITTLE');
  });

  it('stops no canary of 100 that is as fast and as sound, looked at 20 times each', () => {
    const random = seededRandom(7);
    const time = (): number => 2 * Math.exp(0.8 * (random() + random() + random() - 1.5));
    let stopped = 0;
    for (let run = 0; run < 100; run += 1) {
      const [usual, own]: [number[], number[]] = [[], []];
      let [usualFailures, ownFailures] = [0, 0];
      for (let look = 0; look < 20; look += 1) {
        for (let call = 0; call < 100; call += 1) {
          usual.push(time());
          usualFailures += random() < 0.01 ? 1 : 0;
        }
        for (let call = 0; call < 10; call += 1) {
          own.push(time());
          ownFailures += random() < 0.01 ? 1 : 0;
        }
        const live = { ...anArm(usual.length), latency: latencies(usual), failures: usualFailures };
        const challenger = { ...anArm(own.length), latency: latencies(own), failures: ownFailures };
        if (judgeChallenger(figures({ live, challenger })).verdict === 'STOP') {
          stopped += 1;
          break;
        }
      }
    }
    expect(stopped).toBeLessThanOrEqual(1);
  });
});
