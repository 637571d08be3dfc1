import { normalQuantile } from '@sextant/learning';
import type { FairnessAudit, GroupAudit } from '@sextant/learning/fairness';

/** The groups of one protected trait, each by itself. */
export type TraitAudit = Pick<FairnessAudit, 'attribute' | 'groups'>;

/** Smaller groups are not compared: the four-fifths rule on a handful of people is a lottery. */
export const LEAST_GROUP_ROWS = 100;
/** Fewer rows say little about a rate among the positive or the negative. */
const LEAST_RATE_ROWS = 30;
const LARGE_GAP = 0.05;
/** The "four-fifths rule": Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D. */
const FOUR_FIFTHS = 0.8;
/** Chance that a version without any gap is stopped, over all traits, groups and rates together. */
const FALSE_ALARM = 0.01;

const RATES = {
  selectionRate: 'selection rate',
  truePositiveRate: 'true positive rate',
  falsePositiveRate: 'false positive rate',
} as const;
type Rate = keyof typeof RATES;

interface Share {
  group: string;
  rate: number;
  rows: number;
}

/** Groups that are large enough to be compared. */
export function comparedGroups({ groups }: TraitAudit): GroupAudit[] {
  return groups.filter(({ rows }) => rows >= LEAST_GROUP_ROWS);
}

/**
 * Gaps between groups that are both large (0.05, or a selection rate below four fifths) and beyond chance: tests of two proportions and
 * of the mean error of the probability, at 1 % over all of them together (Bonferroni).
 */
export function gapsBeyondChance(audits: readonly TraitAudit[]): string[] {
  const tests = audits.reduce((sum, audit) => sum + testsOf(comparedGroups(audit).length), 0);
  if (tests === 0) return [];
  const z = normalQuantile(1 - FALSE_ALARM / (2 * tests));
  return audits.flatMap((audit) => [
    ...(Object.keys(RATES) as Rate[]).flatMap((rate) => rateGap(audit, rate, z)),
    ...calibrationGaps(audit, z),
  ]);
}

/** Three rates of each pair, one calibration of each group. */
function testsOf(groups: number): number {
  return (3 * groups * (groups - 1)) / 2 + groups;
}

function rateGap(audit: TraitAudit, rate: Rate, z: number): string[] {
  const shares = comparedGroups(audit)
    .flatMap((group) => shareOf(group, rate))
    .sort((a, b) => a.rate - b.rate);
  const [lowest, highest] = [shares[0], shares.at(-1)];
  if (!lowest || !highest || lowest === highest) return [];
  const gap = highest.rate - lowest.rate;
  const isImpact = rate === 'selectionRate' && lowest.rate < FOUR_FIFTHS * highest.rate;
  if ((gap < LARGE_GAP && !isImpact) || deviations(lowest, highest) < z) return [];
  const impact = isImpact ? `, a ratio of ${(lowest.rate / highest.rate).toFixed(2)}, below four fifths` : '';
  return [
    `${RATES[rate]} by "${audit.attribute}": ${lowest.group} ${lowest.rate.toFixed(3)}, ${highest.group} ${highest.rate.toFixed(3)}${impact}`,
  ];
}

function shareOf({ group, rows, positives, ...rates }: GroupAudit, rate: Rate): Share[] {
  const of = { selectionRate: rows, truePositiveRate: positives, falsePositiveRate: rows - positives }[rate];
  const measured = rates[rate];
  return measured === null || of < LEAST_RATE_ROWS ? [] : [{ group, rate: measured.value, rows: of }];
}

/** Of two proportions, pooled. */
function deviations(a: Share, b: Share): number {
  const pooled = (a.rate * a.rows + b.rate * b.rows) / (a.rows + b.rows);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / a.rows + 1 / b.rows));
  return error === 0 ? 0 : Math.abs(b.rate - a.rate) / error;
}

function calibrationGaps(audit: TraitAudit, z: number): string[] {
  return comparedGroups(audit).flatMap(({ group, rows, positives, calibrationGap }) => {
    const rate = (positives + 1) / (rows + 2);
    const error = Math.sqrt((rate * (1 - rate)) / rows);
    if (Math.abs(calibrationGap) < LARGE_GAP || Math.abs(calibrationGap) < z * error) return [];
    const side = calibrationGap > 0 ? 'over' : 'under';
    return [
      `calibration by "${audit.attribute}": ${group} is ${side}rated by ${Math.abs(calibrationGap).toFixed(3)}`,
    ];
  });
}
