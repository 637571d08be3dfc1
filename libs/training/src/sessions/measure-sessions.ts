import type { Measured } from '@sextant/artefacts';
import { measuredMean, pairedDifference } from '@sextant/learning';
import {
  chooseSessionModel,
  evaluateSessions,
  fitSessionModel,
  type IndexedSession,
  type IndexedSessions,
  type Session,
  type SessionChoice,
  type SessionQuality,
  type SessionScorer,
  scoreSession,
} from '@sextant/learning/session';
import type { Gain } from '../gates/index.js';

export interface MeasuredSessions {
  /** Reciprocal rank over popularity, view by view; null when nothing could be judged. */
  gain: Gain | null;
  choice: SessionChoice;
  /** Next views that were predicted. */
  predictions: number;
  metrics: Record<string, Measured>;
  baselines: Record<string, Record<string, Measured>>;
}

export interface MeasureOptions {
  seed: number;
  /** `share` of the candidates tried so far, and what is done. */
  onCandidate?: (fitted: number) => Promise<void> | void;
}

/** More predictions make the intervals hardly narrower. */
const MAX_JUDGED_SESSIONS = 5000;

/**
 * Chooses on the earlier sessions alone and measures on the later ones, whose views of items that the earlier ones never saw are
 * left out: no model of this kind can name them.
 */
export async function measureSessions(
  earlier: IndexedSessions,
  later: readonly Session[],
  { seed, onCandidate }: MeasureOptions,
): Promise<MeasuredSessions> {
  const itemCount = earlier.items.length;
  const judged = toKnown(earlier, later)
    .filter(({ items }) => items.length > 1)
    .slice(-MAX_JUDGED_SESSIONS);
  const choice = await chooseSessionModel(earlier.sessions, {
    itemCount,
    ...(onCandidate && { onCandidate }),
  });
  const model = fitSessionModel(earlier.sessions, itemCount, choice.settings);
  const repeatsOnly = {
    ...model,
    transitions: { ...model.transitions, start: new Uint32Array(itemCount + 1) },
  };
  const onwardOnly = { ...model, repeats: new Float64Array(model.repeats.length) };
  const judge = (score: SessionScorer): SessionQuality => evaluateSessions(judged, itemCount, score);
  const figuresOf = (quality: SessionQuality): Record<string, Measured> =>
    quality.hitAt20.length === 0 ? {} : figures(quality, { itemCount, seed });
  const own = judge((viewed, out) => scoreSession(model, viewed, out));
  const popularity = judge((_, out) => out.set(model.popularity));
  return {
    gain: gainOf(own, popularity, seed),
    choice,
    predictions: judged.reduce((sum, { items }) => sum + items.length - 1, 0),
    metrics: figuresOf(own),
    baselines: {
      popularity: figuresOf(popularity),
      'repeats only': figuresOf(judge((viewed, out) => scoreSession(repeatsOnly, viewed, out))),
      'transitions only': figuresOf(judge((viewed, out) => scoreSession(onwardOnly, viewed, out))),
    },
  };
}

function gainOf(own: SessionQuality, popularity: SessionQuality, seed: number): Gain | null {
  const views = own.reciprocalRankAt20.length;
  if (views === 0) return null;
  return {
    difference: pairedDifference(own.reciprocalRankAt20, popularity.reciprocalRankAt20, {
      seed,
      level: 0.95,
    }),
    metric: `MRR@20 of ${views} next views`,
    over: 'popularity',
  };
}

function figures(
  { hitAt20, reciprocalRankAt20, ndcgAt20, shown }: SessionQuality,
  { itemCount, seed }: { itemCount: number; seed: number },
): Record<string, Measured> {
  const coverage = shown / itemCount;
  return {
    'hr@20': measuredMean(hitAt20, { seed }),
    'mrr@20': measuredMean(reciprocalRankAt20, { seed }),
    'ndcg@20': measuredMean(ndcgAt20, { seed }),
    'coverage@20': { value: coverage, low: coverage, high: coverage, level: 0.9 },
  };
}

function toKnown({ items }: IndexedSessions, sessions: readonly Session[]): IndexedSession[] {
  const indexOf = new Map(items.map((item, index) => [item, index]));
  return sessions.map(({ items: viewed, endedAt }) => ({
    items: Uint32Array.from(viewed.flatMap((item) => indexOf.get(item) ?? [])),
    endedAt,
  }));
}
