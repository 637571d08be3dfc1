import { MeanSequence } from './mean-sequence.js';

/** One decision with a known outcome: what the champion said of it, what the challenger says, and what came. */
export interface ComparedDecision {
  /** in [0, 1] */
  champion: number;
  /** in [0, 1] */
  challenger: number;
  /** in [0, 1]: 1 where it came true */
  outcome: number;
}

export type ChallengeVerdict = 'BETTER' | 'WORSE' | 'UNDECIDED';

/** The challenger's loss less the champion's: below 0 it is the better one. */
export interface ChallengeComparison {
  decisions: number;
  /** mean difference of the squared errors; 0 without decisions */
  difference: number;
  low: number;
  high: number;
  /** two-sided, at all times at once */
  level: number;
  verdict: ChallengeVerdict;
}

/**
 * Champion against challenger on the same decisions, in the order of their time: the difference of their squared errors (Brier), whose
 * interval holds however often it is looked at, so that a stop by it is false with at most a chance of 1 − level.
 *
 * @param level      in (0, 1), e.g. 0.99
 * @param tolerance  by how much worse counts as not worse, in squared error; 0 when not given
 * @throws RangeError for a score or an outcome outside [0, 1]
 */
export function compareChampion(
  decisions: Iterable<ComparedDecision>,
  { level, tolerance = 0 }: { level: number; tolerance?: number },
): ChallengeComparison {
  const sequence = new MeanSequence({ low: -1, high: 1 }, 1 - level);
  for (const decision of decisions) sequence.add(differenceOf(decision));
  const { low, high } = sequence.interval();
  const difference = sequence.values === 0 ? 0 : sequence.mean;
  const verdict = low > tolerance ? 'WORSE' : high < 0 ? 'BETTER' : 'UNDECIDED';
  return { decisions: sequence.values, difference, low, high, level, verdict };
}

function differenceOf({ champion, challenger, outcome }: ComparedDecision): number {
  for (const value of [champion, challenger, outcome])
    if (!(value >= 0 && value <= 1)) throw new RangeError(`${value} is not in [0, 1]`);
  return (challenger - outcome) ** 2 - (champion - outcome) ** 2;
}
