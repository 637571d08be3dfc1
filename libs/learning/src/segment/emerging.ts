import { nearestCentres } from './k-means.js';
import { type Points, pointsOf, squaredDistance } from './points.js';
import { placed, type Segmentation } from './segmentation.js';

/** A region of recent customers that none of the segments explains. */
export interface EmergingSegment {
  /** recent customers beyond the distance that few had when the segments were fitted */
  customers: number;
  /** how many that many recent customers would be expected to be */
  expected: number;
  /** probability of so many or more if nothing had changed */
  pValue: number;
  /** middle of the region, in unscaled columns' order but scaled: standard deviations from the population's mean */
  centre: number[];
  /** rows of the recent customers in the region */
  rows: number[];
}

export interface EmergingOptions {
  /** Chance of an alert while nothing changes; 0.01 when absent. */
  falseAlarmRate?: number;
}

/**
 * Looks for an emerging segment: more recent customers than chance allows lie farther from every centre than the reference
 * threshold, and most of them lie together. The count is tested exactly: how many of n new rows exceed the j-th largest of m old
 * ones follows the beta-binomial distribution, whatever the distances' own distribution is, so the stated rate of false
 * alarms holds. The rule on lying together can only lower it.
 *
 * @param recent  rows of customers who were not fitted on, shape [n][columns], unscaled; NaN for unknown
 * @returns       null when there is nothing to report
 *
 * Source: Wilks (1941), "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics 12(1).
 */
export function findEmerging(
  segmentation: Segmentation,
  recent: readonly (readonly number[])[],
  { falseAlarmRate = 0.01 }: EmergingOptions = {},
): EmergingSegment | null {
  if (recent.length === 0) return null;
  const { reference } = segmentation;
  const points = placed(segmentation, pointsOf(recent));
  const { distances } = nearestCentres(points, pointsOf(segmentation.centres));
  const novel = [...distances.keys()].filter((row) => (distances[row] ?? 0) > reference.threshold);
  const a = reference.beyond + 1;
  const b = reference.rows - reference.beyond;
  const pValue = betaBinomialTail(novel.length, { n: recent.length, a, b });
  if (pValue > falseAlarmRate) return null;
  const region = densest(points, novel, reference.threshold);
  if (region.length * 2 < novel.length) return null;
  const expected = (recent.length * a) / (a + b);
  return { customers: novel.length, expected, pValue, centre: middle(points, region), rows: region };
}

/**
 * P(X ≥ x) for the beta-binomial distribution with n draws: P(X = i) = C(n, i) B(i + a, n − i + b) / B(a, b).
 */
export function betaBinomialTail(x: number, { n, a, b }: { n: number; a: number; b: number }): number {
  if (x <= 0) return 1;
  let log = 0; // ln P(X = 0)
  for (let i = 0; i < n; i++) log += Math.log((b + i) / (a + b + i));
  let below = Math.exp(log);
  for (let i = 0; i + 1 < x; i++) {
    log += Math.log(((n - i) / (i + 1)) * ((a + i) / (b + n - i - 1)));
    below += Math.exp(log);
  }
  return Math.max(0, Math.min(1, 1 - below));
}

/** Of the novel rows, those within the threshold's distance of the one that has most of them around it. */
function densest(points: Points, novel: readonly number[], threshold: number): number[] {
  let best: number[] = [];
  for (const row of novel.slice(0, 500)) {
    const near = novel.filter((other) => squaredDistance(points, points, { row, other }) <= threshold);
    if (near.length > best.length) best = near;
  }
  return best;
}

function middle({ values, columns }: Points, rows: readonly number[]): number[] {
  return Array.from({ length: columns }, (_, j) => {
    const sum = rows.reduce((total, row) => total + (values[row * columns + j] || 0), 0); // NaN, unknown, is the middle
    return sum / Math.max(1, rows.length);
  });
}
