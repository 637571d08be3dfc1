import type { ScoreExample } from '../score-task/score-example.js';

const DAY_MS = 86_400_000;

/**
 * Examples whose horizon has passed. Among younger ones only those with an early outcome are known, and these convert more often
 * than their like. All examples where that would leave less than half.
 */
export function settledLeads(
  examples: readonly ScoreExample[],
  horizonDays: number,
  now: Date,
): { examples: readonly ScoreExample[]; notes: string[] } {
  const until = now.getTime() - horizonDays * DAY_MS;
  const settled = examples.filter(({ at }) => at <= until);
  const left = examples.length - settled.length;
  if (left === 0) return { examples, notes: [] };
  if (settled.length < examples.length / 2) {
    return {
      examples,
      notes: [
        `the horizon of ${left} of ${examples.length} examples has not passed; they count by the outcome known so far`,
      ],
    };
  }
  return {
    examples: settled,
    notes: [`${left} examples left out: their horizon of ${horizonDays} days has not passed`],
  };
}
