import type { IndexedSession } from './sessions.js';
import { countTransitions, type Transitions, type TransitionSettings } from './transitions.js';

export interface SessionSettings extends TransitionSettings {
  /** The k-th last distinct item speaks with weight `sourceDecay^k`, in (0, 1]; the weights are scaled to sum 1. */
  sourceDecay: number;
  /** Multiplies the observed rates of coming back to an item; 1 = as observed. */
  repeatBoost: number;
}

export const DEFAULT_SESSION_SETTINGS: SessionSettings = {
  backward: 0.5,
  distanceDecay: 0.5,
  shrinkage: 1,
  twoSteps: 0.2,
  sourceDecay: 0.5,
  repeatBoost: 1,
};

/** Next view of a session: a mixture of coming back, of going on from what was viewed, and of popularity. */
export interface SessionModel {
  itemCount: number;
  settings: SessionSettings;
  transitions: Transitions;
  /** Probability that the next view is the k-th last distinct item (k from 0), shape [REPEAT_LAGS]. */
  repeats: Float64Array;
  /** Share of the views, shape [items]; ranks what nothing else speaks for. */
  popularity: Float64Array;
}

/** The distinct items of a session, newest first, with what each one says. */
export interface WeighedSession {
  items: number[];
  /** Weight of the item's transitions, sum 1. */
  sources: number[];
  /** Score of the item itself. */
  repeats: number[];
}

export const REPEAT_LAGS = 10;
/** Older views say little and cost time. */
const MAX_SOURCES = 20;
/** Popularity breaks ties and fills slates; it never outranks evidence. */
const PRIOR_WEIGHT = 1e-3;
/** Views of doubt about the rate of a lag. */
const REPEAT_DOUBT = 20;

/**
 * @param sessions  item indices in 0..itemCount − 1
 *
 * Source of the parts: Markov and rule models of sessions in Ludewig and Jannach (2018), "Evaluation of session-based recommendation
 * algorithms", UMUAI 28; repeats as in Anderson et al. (2014), "The dynamics of repeat consumption", WWW.
 */
export function fitSessionModel(
  sessions: readonly IndexedSession[],
  itemCount: number,
  settings: SessionSettings,
): SessionModel {
  return {
    itemCount,
    settings,
    transitions: countTransitions(sessions, itemCount, settings),
    repeats: repeatRates(sessions),
    popularity: viewShares(sessions, itemCount),
  };
}

/**
 * The one way from a session to the model's input, for trainer and worker alike.
 *
 * @param viewed  item indices, oldest first; repeats allowed
 * @param policy  `repeats`: score of the k-th last distinct item itself, the last value for all older ones
 */
export function weighSession(
  { sourceDecay, repeats }: { sourceDecay: number; repeats: ArrayLike<number> },
  viewed: ArrayLike<number>,
): WeighedSession {
  const items = distinctNewestFirst(viewed).slice(0, MAX_SOURCES);
  const raw = items.map((_, k) => sourceDecay ** k);
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return {
    items,
    sources: raw.map((weight) => weight / total),
    repeats: items.map((_, k) => repeats[Math.min(k, repeats.length - 1)] ?? 0),
  };
}

/** What serving needs of a model besides its matrices. */
export function sessionPolicy({ settings, repeats }: SessionModel): {
  sourceDecay: number;
  repeats: number[];
} {
  return {
    sourceDecay: settings.sourceDecay,
    repeats: Array.from(repeats, (rate) => rate * settings.repeatBoost),
  };
}

/**
 * Scores of all items for the next view.
 *
 * @param viewed  item indices, oldest first; none: popularity alone
 * @param out     shape [items], overwritten
 */
export function scoreSession(model: SessionModel, viewed: ArrayLike<number>, out: Float64Array): void {
  const { transitions, popularity } = model;
  for (let item = 0; item < out.length; item++) out[item] = PRIOR_WEIGHT * (popularity[item] ?? 0);
  const { items, sources, repeats } = weighSession(sessionPolicy(model), viewed);
  items.forEach((item, k) => {
    out[item] = (out[item] ?? 0) + (repeats[k] ?? 0);
    const source = sources[k] ?? 0;
    for (let e = transitions.start[item] ?? 0; e < (transitions.start[item + 1] ?? 0); e++) {
      const to = transitions.to[e] ?? 0;
      out[to] = (out[to] ?? 0) + source * (transitions.weight[e] ?? 0);
    }
  });
}

/** The prior as the served model adds it, shape [items]. */
export function priorOf({ popularity }: SessionModel): Float64Array {
  return popularity.map((share) => PRIOR_WEIGHT * share);
}

function distinctNewestFirst(viewed: ArrayLike<number>): number[] {
  const distinct = new Set<number>();
  for (let i = viewed.length - 1; i >= 0; i--) distinct.add(viewed[i] ?? 0);
  return [...distinct];
}

/** How often the next view was the k-th last distinct item, where there was one; shrunk towards nothing. */
function repeatRates(sessions: readonly IndexedSession[]): Float64Array {
  const hits = new Float64Array(REPEAT_LAGS);
  const chances = new Float64Array(REPEAT_LAGS).fill(REPEAT_DOUBT);
  for (const { items } of sessions) {
    const recent: number[] = [];
    for (const [position, item] of items.entries()) {
      const lag = recent.indexOf(item);
      if (position > 0) {
        for (let k = 0; k < Math.min(recent.length, REPEAT_LAGS); k++) chances[k] = (chances[k] ?? 0) + 1;
        if (lag >= 0 && lag < REPEAT_LAGS) hits[lag] = (hits[lag] ?? 0) + 1;
      }
      if (lag >= 0) recent.splice(lag, 1);
      recent.unshift(item);
      if (recent.length > REPEAT_LAGS) recent.pop();
    }
  }
  return hits.map((count, k) => count / (chances[k] ?? 1));
}

function viewShares(sessions: readonly IndexedSession[], itemCount: number): Float64Array {
  const shares = new Float64Array(itemCount);
  let total = 0;
  for (const { items } of sessions) {
    for (const item of items) shares[item] = (shares[item] ?? 0) + 1;
    total += items.length;
  }
  return shares.map((count) => count / Math.max(1, total));
}
