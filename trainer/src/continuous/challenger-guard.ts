import { type ChallengeComparison, shareBounds } from '@sextant/learning';
import { type LatencyCounts, latencyQuantile, type ShadowComparison } from '@sextant/monitoring';

/** What a version did in the time that it is judged by. */
export interface ArmTraffic {
  calls: number;
  failures: number;
  latency: LatencyCounts;
  batches: number;
  rows: number;
  computeMs: number;
  shadow: ShadowComparison;
}

export interface ChallengerFigures {
  stage: 'SHADOW' | 'CANARY';
  live: ArmTraffic;
  challenger: ArmTraffic;
  /** answers that were no number in the allowed range; null where nobody counts */
  invalid: { answers: number; of: number } | null;
  /** on decisions with known outcomes; null where there are none to compare */
  comparison: ChallengeComparison | null;
}

export const STOP_REASONS = ['failing', 'invalid-answers', 'slower', 'worse', 'silent'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

export type Judgement =
  | { verdict: 'STOP'; reason: StopReason; sentence: string }
  | { verdict: 'CONTENT' | 'TOO_LITTLE'; sentence: string };

export interface GuardLimits {
  /** answers that it must have given before it may go on */
  leastAnswers: number;
  /** of its latency to the live version's */
  slowdown: number;
  /** a slowdown below this is nobody's concern; milliseconds */
  leastSlowdownMs: number;
  /** by how much more of the calls may fail */
  failureMargin: number;
  /** chance that a challenger that is as good is stopped, over all looks, by each of the tests */
  falseStops: number;
}

export const GUARD_LIMITS: GuardLimits = {
  leastAnswers: 200,
  slowdown: 1.5,
  leastSlowdownMs: 1,
  failureMargin: 0.005,
  falseStops: 0.005,
};

/** Calls and runs right after a load are slow, and not independent: fewer than this say nothing of its speed. */
const LEAST_TIMED = 50;
/** Calls of the live version in which a challenger with a share should have been heard of. */
const CALLS_TO_BE_HEARD = 2_000;

/**
 * Whether a challenger may stay in traffic. Every test holds for any number of looks, so that one that is as good as the live version is
 * stopped with at most the chance that the limits name.
 */
export function judgeChallenger(figures: ChallengerFigures, limits: GuardLimits = GUARD_LIMITS): Judgement {
  const stop = invalidOf(figures, limits) ?? failingOf(figures, limits) ?? slowerOf(figures, limits);
  if (stop) return stop;
  const { comparison } = figures;
  if (comparison?.verdict === 'WORSE') return worse(comparison);
  const answers = answersOf(figures);
  if (answers === 0 && figures.live.calls >= CALLS_TO_BE_HEARD) return silent(figures.live.calls);
  const outcomes = comparison
    ? `, ${comparison.verdict.toLowerCase()} on ${comparison.decisions} outcomes`
    : '';
  const sentence = `${answers} answers, ${failuresOf(figures)} failures${outcomes}`;
  return { verdict: answers < limits.leastAnswers ? 'TOO_LITTLE' : 'CONTENT', sentence };
}

function answersOf({ stage, challenger }: ChallengerFigures): number {
  return stage === 'SHADOW' ? challenger.shadow.runs + challenger.shadow.failures : challenger.calls;
}

function failuresOf({ stage, challenger }: ChallengerFigures): number {
  return stage === 'SHADOW' ? challenger.shadow.failures : challenger.failures;
}

function invalidOf(
  { invalid }: ChallengerFigures,
  { falseStops, failureMargin }: GuardLimits,
): Judgement | null {
  if (!invalid || invalid.answers === 0) return null;
  const { low } = shareBounds(Math.min(invalid.answers, invalid.of), invalid.of, falseStops);
  if (low <= failureMargin) return null;
  const sentence = `${invalid.answers} of ${invalid.of} answers were no number in the allowed range`;
  return { verdict: 'STOP', reason: 'invalid-answers', sentence };
}

function failingOf(figures: ChallengerFigures, limits: GuardLimits): Judgement | null {
  const { live } = figures;
  const [failures, answers] = [failuresOf(figures), answersOf(figures)];
  const own = shareBounds(Math.min(failures, answers), answers, limits.falseStops / 2);
  const usual = live.calls === 0 ? 0 : shareBounds(live.failures, live.calls, limits.falseStops / 2).high;
  if (own.low <= usual + limits.failureMargin) return null;
  const sentence = `${failures} of ${answers} answers failed, of the live version ${live.failures} of ${live.calls}`;
  return { verdict: 'STOP', reason: 'failing', sentence };
}

/**
 * A shadow has no callers whose time would count. A canary must be slower for its callers, too: the quantiles say how much, the shares beyond
 * a bound whether it can be chance.
 */
function slowerOf(figures: ChallengerFigures, limits: GuardLimits): Judgement | null {
  const runs = slowerRuns(figures, limits);
  if (figures.stage === 'SHADOW') return runs;
  return runs && slowerCalls(figures, limits);
}

function slowerCalls({ live, challenger }: ChallengerFigures, limits: GuardLimits): Judgement | null {
  const [median, tail] = [0.5, 0.95].map((q) => ({
    usual: latencyQuantile(live.latency, q),
    own: latencyQuantile(challenger.latency, q),
  }));
  const slow = [median, tail].find((each) => each && isSlower(each.usual, each.own, limits));
  if (!slow || !isBeyondChance(live.latency, challenger.latency, limits)) return null;
  const quantile = slow === median ? 'median' : '95th percentile';
  const sentence = `the ${quantile} of its calls is ${told(slow.own)}, of the live version's ${told(slow.usual)}`;
  return { verdict: 'STOP', reason: 'slower', sentence };
}

/**
 * By the time that runs take on their threads: how long calls wait depends on how many come, and a canary, of whom fewer ask, waits longer
 * for company. Batches of the live version carry several calls, so slower is only what is slower by the batch and by the row.
 */
function slowerRuns({ live, challenger }: ChallengerFigures, limits: GuardLimits): Judgement | null {
  if (challenger.batches < LEAST_TIMED || live.batches < LEAST_TIMED) return null;
  const [usual, own] = [live, challenger].map(({ computeMs, batches, rows }) => ({
    batchMs: computeMs / batches,
    rowMs: computeMs / Math.max(1, rows),
  }));
  if (!usual || !own || !isSlower(usual.batchMs, own.batchMs, limits)) return null;
  if (own.rowMs < limits.slowdown * usual.rowMs) return null;
  const sentence = `its runs take ${told(own.batchMs)}, the live version's ${told(usual.batchMs)}`;
  return { verdict: 'STOP', reason: 'slower', sentence };
}

function told(ms: number | null): string {
  return `${(ms ?? 0).toFixed(1)} ms`;
}

function isSlower(usual: number | null, own: number | null, limits: GuardLimits): boolean {
  return (
    usual !== null && own !== null && own > limits.slowdown * usual && own - usual > limits.leastSlowdownMs
  );
}

function isBeyondChance(
  live: LatencyCounts,
  challenger: LatencyCounts,
  { falseStops }: GuardLimits,
): boolean {
  const bounds = challenger.boundsMs;
  const alpha = falseStops / (2 * Math.max(1, bounds.length));
  return bounds.some((bound) => {
    const own = beyond(challenger, bound);
    const usual = beyond(live, bound);
    return shareBounds(own.hits, own.count, alpha).low > shareBounds(usual.hits, usual.count, alpha).high;
  });
}

/** Calls that took longer than a bound. */
function beyond({ boundsMs, counts }: LatencyCounts, bound: number): { hits: number; count: number } {
  let [hits, count] = [0, 0];
  for (const [i, here] of counts.entries()) {
    count += here;
    if ((boundsMs[i] ?? Number.POSITIVE_INFINITY) > bound) hits += here;
  }
  return { hits, count };
}

function worse({ decisions, difference, low, level }: ChallengeComparison): Judgement {
  const sentence = `on ${decisions} decisions with known outcomes its squared error is larger by ${difference.toFixed(4)}, at least ${low.toFixed(4)} (level ${level})`;
  return { verdict: 'STOP', reason: 'worse', sentence };
}

function silent(calls: number): Judgement {
  const sentence = `it answered nothing while the live version had ${calls} calls: see /models of a worker for why it is not loaded`;
  return { verdict: 'STOP', reason: 'silent', sentence };
}
