import { mean } from '../metrics/probability.js';
import { evaluateSessions } from './evaluate-sessions.js';
import {
  DEFAULT_SESSION_SETTINGS,
  fitSessionModel,
  scoreSession,
  type SessionModel,
  type SessionSettings,
} from './session-model.js';
import type { IndexedSession } from './sessions.js';

export interface SessionChoice {
  settings: SessionSettings;
  /** NDCG@20 on the later sessions that decided; NaN when there was none to decide by. */
  validationNdcgAt20: number;
  /** Of the popularity of items on the same views. */
  popularityNdcgAt20: number;
  /** Views that decided. */
  predictions: number;
  candidates: number;
}

export interface SessionChoiceOptions {
  itemCount: number;
  onCandidate?: (fitted: number) => Promise<void> | void;
}

const VALIDATION_SHARE = 0.2;
/** More sessions change the choice little and its time much; the newest are kept. */
const MAX_SESSIONS = 20_000;
const MAX_JUDGED = 800;

/** Values tried of each setting in turn, twice around: neighbours of what most data sets choose. */
const TRIED: { [K in keyof SessionSettings]: readonly number[] } = {
  sourceDecay: [0.15, 0.3, 0.5, 0.7, 0.9],
  backward: [0, 0.5, 1],
  distanceDecay: [0.15, 0.3, 0.5, 0.8, 1],
  twoSteps: [0, 0.1, 0.2, 0.4, 0.6],
  shrinkage: [0.3, 1, 3, 10, 30],
  repeatBoost: [0.3, 0.6, 1, 2, 4, 8],
};
const ROUNDS = 2;

/**
 * Settings by coordinate search on NDCG@20 of the last fifth of the sessions, fitted on those before: one figure that rewards
 * both being in the slate and standing high in it.
 *
 * @param sessions  ascending in their end
 */
export async function chooseSessionModel(
  sessions: readonly IndexedSession[],
  { itemCount, onCandidate }: SessionChoiceOptions,
): Promise<SessionChoice> {
  const recent = sessions.slice(-MAX_SESSIONS);
  const cut = Math.floor(recent.length * (1 - VALIDATION_SHARE));
  const [earlier, later] = [recent.slice(0, cut), knownOnly(recent.slice(cut), recent.slice(0, cut))];
  const judged = later.filter(({ items }) => items.length > 1).slice(-MAX_JUDGED);
  const predictions = judged.reduce((sum, { items }) => sum + items.length - 1, 0);
  const quality = (model: SessionModel): number =>
    mean(evaluateSessions(judged, itemCount, (viewed, out) => scoreSession(model, viewed, out)).ndcgAt20);
  let best = { settings: DEFAULT_SESSION_SETTINGS, ndcg: Number.NaN };
  let candidates = 0;
  const consider = async (settings: SessionSettings): Promise<void> => {
    const ndcg = quality(fitSessionModel(earlier, itemCount, settings));
    candidates += 1;
    if (!(ndcg <= best.ndcg)) best = { settings, ndcg };
    await onCandidate?.(candidates);
  };
  if (predictions > 0) {
    await consider(best.settings);
    for (let round = 0; round < ROUNDS; round++) await searchAround(() => best.settings, consider);
  }
  const popularity = fitSessionModel(earlier, itemCount, best.settings).popularity;
  const popular = evaluateSessions(judged, itemCount, (_, out) => out.set(popularity));
  return {
    settings: best.settings,
    validationNdcgAt20: best.ndcg,
    popularityNdcgAt20: predictions > 0 ? mean(popular.ndcgAt20) : Number.NaN,
    predictions,
    candidates,
  };
}

async function searchAround(
  current: () => SessionSettings,
  consider: (settings: SessionSettings) => Promise<void>,
): Promise<void> {
  for (const name of Object.keys(TRIED) as (keyof SessionSettings)[]) {
    const from = current();
    for (const value of TRIED[name]) if (value !== from[name]) await consider({ ...from, [name]: value });
  }
}

/** The views of items that the earlier sessions know: no model of this kind can be judged by others. */
function knownOnly(later: readonly IndexedSession[], earlier: readonly IndexedSession[]): IndexedSession[] {
  const known = new Set<number>();
  for (const { items } of earlier) for (const item of items) known.add(item);
  return later.map(({ items, endedAt }) => ({ items: items.filter((item) => known.has(item)), endedAt }));
}
