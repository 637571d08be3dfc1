import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseSessionModel } from './choose-session-model.js';
import { evaluateSessions } from './evaluate-sessions.js';
import { explainSessionItem } from './explain-session-item.js';
import {
  DEFAULT_SESSION_SETTINGS,
  fitSessionModel,
  priorOf,
  scoreSession,
  sessionPolicy,
  type SessionSettings,
  weighSession,
} from './session-model.js';
import { type IndexedSession, indexSessions, splitBySilence } from './sessions.js';
import { countTransitions, denseTransitions } from './transitions.js';

const plain: SessionSettings = {
  backward: 0,
  distanceDecay: 0.5,
  shrinkage: 0,
  twoSteps: 0,
  sourceDecay: 0.5,
  repeatBoost: 1,
};

function session(...items: number[]): IndexedSession {
  return { items: Uint32Array.from(items), endedAt: 0 };
}

function scoresOf(model: ReturnType<typeof fitSessionModel>, viewed: number[]): Float64Array {
  const out = new Float64Array(model.itemCount);
  scoreSession(model, viewed, out);
  return out;
}

describe('splitBySilence', () => {
  it('begins a new session after a silence that is longer than the limit', () => {
    const views = [0, 10, 20, 31, 100].map((at, i) => ({ itemId: `p${i}`, at }));
    expect(splitBySilence(views, 10)).toEqual([
      { items: ['p0', 'p1', 'p2'], endedAt: 20 },
      { items: ['p3'], endedAt: 31 },
      { items: ['p4'], endedAt: 100 },
    ]);
    expect(splitBySilence([], 10)).toEqual([]);
  });
});

describe('indexSessions', () => {
  it('keeps the most viewed items and sorts sessions by their end', () => {
    const indexed = indexSessions(
      [
        { items: ['b', 'a', 'b'], endedAt: 2 },
        { items: ['c'], endedAt: 3 },
        { items: ['a', 'b'], endedAt: 1 },
      ],
      2,
    );
    expect(indexed.items).toEqual(['a', 'b']);
    expect(indexed.droppedItems).toBe(1);
    expect(indexed.sessions.map(({ items }) => [...items])).toEqual([
      [0, 1],
      [1, 0, 1],
    ]);
  });

  it('refuses nothing at all, and a session without a time', () => {
    expect(() => indexSessions([], 10)).toThrow('no session has a view');
    expect(() => indexSessions([{ items: ['a'], endedAt: Number.NaN }], 10)).toThrow('has no time');
  });
});

describe('countTransitions', () => {
  it('counts pairs by distance, forward only', () => {
    // 0→1 once at distance 1 and 0→2 at distance 2 (½): shares 2/3 and 1/3; 1→2 alone.
    const dense = denseTransitions(countTransitions([session(0, 1, 2)], 3, plain));
    const third = Math.fround(1 / 3);
    expect([...dense]).toEqual([0, Math.fround(2 / 3), third, 0, 0, 1, 0, 0, 0]);
  });

  it('shrinks a row by the views of doubt, and counts steps back as told', () => {
    const settings = { ...plain, shrinkage: 1, backward: 0.5 };
    const dense = denseTransitions(countTransitions([session(0, 1)], 2, settings));
    expect(dense[1]).toBeCloseTo(1 / 2, 6);
    expect(dense[2]).toBeCloseTo(0.5 / 1.5, 6);
  });

  it('reaches over one item between, but not back to itself', () => {
    const settings = { ...plain, twoSteps: 0.5, distanceDecay: 0.5 };
    const dense = denseTransitions(
      countTransitions([session(0, 1), session(1, 2), session(1, 0)], 3, settings),
    );
    // From 0: one step to 1 (weight 1); from 1 to 2 and to 0 with ½ each, the way back is dropped.
    expect([...dense.subarray(0, 3)]).toEqual([0, 0.5, 0.25]);
  });

  it('never gives a row more than 1, nor an item itself', () => {
    const anyItem = fc.integer({ min: 0, max: 5 });
    const anySessions = fc.array(fc.array(anyItem, { minLength: 1, maxLength: 30 }), { maxLength: 10 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(anySessions, share, share, (drawn, backward, twoSteps) => {
        const settings = { ...plain, backward, twoSteps };
        const dense = denseTransitions(
          countTransitions(
            drawn.map((items) => session(...items)),
            6,
            settings,
          ),
        );
        for (let i = 0; i < 6; i++) {
          const row = dense.subarray(i * 6, i * 6 + 6);
          expect(row.reduce((sum, w) => sum + w, 0)).toBeLessThanOrEqual(1 + 1e-6);
          expect(row[i]).toBe(0);
        }
      }),
    );
  });
});

describe('session model', () => {
  it('weighs the distinct items, newest first', () => {
    const model = fitSessionModel([session(0, 1)], 3, plain);
    const weighed = weighSession(sessionPolicy(model), [2, 0, 2, 1]);
    expect(weighed.items).toEqual([1, 2, 0]);
    expect(weighed.sources).toEqual([4 / 7, 2 / 7, 1 / 7]);
  });

  it('learns how often people come back to the last but one item', () => {
    const back = Array.from({ length: 200 }, () => session(0, 1, 0, 1, 0, 1));
    const { repeats } = fitSessionModel(back, 2, plain);
    // Of 5 next views, 4 are the last but one; the first has none. 800 hits in 800 chances and 20 of doubt.
    expect(repeats[1]).toBeCloseTo(800 / 820, 10);
    expect(repeats[0]).toBe(0);
  });

  it('answers an empty session with popularity', () => {
    const model = fitSessionModel([session(0, 1), session(1, 2), session(1)], 3, plain);
    const scores = scoresOf(model, []);
    expect([...scores]).toEqual([...priorOf(model)]);
    expect(scores[1]).toBeGreaterThan(scores[0] ?? 0);
  });

  it('explains a score by the viewed items that it is the sum of', () => {
    const model = fitSessionModel([session(0, 1, 2), session(0, 2), session(1, 1, 0)], 3, plain);
    const viewed = [0, 1];
    const scores = scoresOf(model, viewed);
    const dense = denseTransitions(model.transitions);
    for (let item = 0; item < 3; item++) {
      const reasons = explainSessionItem(dense, weighSession(sessionPolicy(model), viewed), item, {
        itemCount: 3,
        top: 9,
      });
      const sum = reasons.reduce(
        (total, { contribution }) => total + contribution,
        priorOf(model)[item] ?? 0,
      );
      expect(sum).toBeCloseTo(scores[item] ?? Number.NaN, 6);
    }
  });
});

describe('evaluateSessions', () => {
  it('predicts every view but the first', () => {
    const fixed = (_: Uint32Array, out: Float64Array): void => out.set([3, 2, 1]);
    const quality = evaluateSessions([session(2, 1, 2), session(0)], 3, fixed);
    expect([...quality.hitAt20]).toEqual([1, 1]);
    expect([...quality.reciprocalRankAt20]).toEqual([1 / 2, 1 / 3]);
    expect(quality.shown).toBe(3);
  });
});

describe('chooseSessionModel', () => {
  it('finds that people go on along a chain, and beats popularity there', async () => {
    const chains = Array.from({ length: 120 }, (_, i): IndexedSession => {
      const from = (i * 7) % 20;
      return { items: Uint32Array.from([0, 1, 2, 3], (step) => (from + step) % 20), endedAt: i };
    });
    const choice = await chooseSessionModel(chains, { itemCount: 20 });
    expect(choice.validationNdcgAt20).toBeGreaterThan(0.95);
    expect(choice.popularityNdcgAt20).toBeLessThan(0.5);
  });

  it('takes the defaults where no later session can judge', async () => {
    const choice = await chooseSessionModel([session(0), session(1)], { itemCount: 2 });
    expect(choice.settings).toEqual(DEFAULT_SESSION_SETTINGS);
    expect(choice.predictions).toBe(0);
    expect(choice.validationNdcgAt20).toBeNaN();
  });
});
