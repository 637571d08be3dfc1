import { chiSquareOf, kolmogorovDistance, populationStability } from '../drift/divergence.js';
import { chiSquareTail, kolmogorovTail } from '../drift/tail-probabilities.js';

/** Relative error of every quantile. */
const ACCURACY = 0.01;
const LOG_GAMMA = Math.log((1 + ACCURACY) / (1 - ACCURACY));
/** Closer to 0 counts as 0. */
const LEAST = 1e-12;
/** Farther counts as this. */
const GREATEST = 1e15;
/** Keys of positive numbers begin here, those of negative ones are their mirror image, 0 has the key 0. */
const OFFSET = 1 - keyOfSize(LEAST);
const GROUPS = 20;

/**
 * Quantiles of a stream whose range is not known beforehand, each within 1 % of the number itself: counts by logarithm. Numbers closer
 * to 0 than 1e-12 count as 0 and beyond ±1e15 as that, instead of joining buckets when there are many: so the memory is bounded (at most
 * 6,300 buckets) and merging is exact in any order.
 *
 * Source: Masson, Rim and Lee (2019), "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", PVLDB 12(12).
 */
export class QuantileSketch {
  private readonly buckets = new Map<number, number>();
  private present = 0;
  private absent = 0;

  /** Numbers added, without the missing. */
  get count(): number {
    return this.present;
  }

  get missing(): number {
    return this.absent;
  }

  /** @param value  NaN = missing */
  add(value: number): void {
    if (Number.isNaN(value)) {
      this.absent += 1;
      return;
    }
    const key = keyOf(value);
    this.buckets.set(key, (this.buckets.get(key) ?? 0) + 1);
    this.present += 1;
  }

  merge(other: QuantileSketch): this {
    for (const [key, count] of other.buckets) this.buckets.set(key, (this.buckets.get(key) ?? 0) + count);
    this.present += other.present;
    this.absent += other.absent;
    return this;
  }

  /** @param q  in [0, 1] @returns NaN for no numbers @throws RangeError for q outside of [0, 1] */
  quantile(q: number): number {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`a quantile is asked for in [0, 1], got ${q}`);
    const rank = q * (this.present - 1);
    let below = 0;
    for (const [key, count] of this.entries()) {
      below += count;
      if (below > rank) return valueOf(key);
    }
    return Number.NaN;
  }

  /** Ascending in the number: the same for equal contents, however they came together. */
  entries(): [key: number, count: number][] {
    return [...this.buckets].sort(([a], [b]) => a - b);
  }
}

export interface StreamDifference {
  /** over twenty groups of about equally many rows of both together, and the missing */
  psi: number;
  ksDistance: number;
  missingRate: { reference: number; current: number };
  /** that one distribution gives two streams as different; the least of its two tests, times two */
  pValue: number;
}

/** How two streams differ that no common binning was fixed for. */
export function compareStreams(reference: QuantileSketch, current: QuantileSketch): StreamDifference {
  const [before, now] = [new Map(reference.entries()), new Map(current.entries())];
  const keys = [...new Set([...before.keys(), ...now.keys()])].sort((a, b) => a - b);
  const [fine, other] = [keys.map((key) => before.get(key) ?? 0), keys.map((key) => now.get(key) ?? 0)];
  const ksDistance = kolmogorovDistance(fine, other);
  const [p, q] = grouped(fine, other, (reference.count + current.count) / GROUPS);
  const { statistic, degrees } = chiSquareOf(p, q);
  const isComparable = reference.count > 0 && current.count > 0;
  const ofDistance = isComparable ? kolmogorovTail(ksDistance, reference.count, current.count) : 1;
  return {
    psi: populationStability([...p, reference.missing], [...q, current.missing]),
    ksDistance,
    missingRate: { reference: rateOf(reference), current: rateOf(current) },
    pValue: Math.min(1, 2 * Math.min(ofDistance, chiSquareTail(statistic, degrees))),
  };
}

/** Neighbours joined until a group holds `size` rows of both together. */
function grouped(fine: readonly number[], other: readonly number[], size: number): [number[], number[]] {
  const [p, q]: [number[], number[]] = [[], []];
  let [a, b] = [0, 0];
  for (let i = 0; i < fine.length; i++) {
    a += fine[i] ?? 0;
    b += other[i] ?? 0;
    if (a + b < size && i < fine.length - 1) continue;
    p.push(a);
    q.push(b);
    [a, b] = [0, 0];
  }
  return [p, q];
}

function rateOf({ count, missing }: QuantileSketch): number {
  return missing === 0 ? 0 : missing / (count + missing);
}

function keyOf(value: number): number {
  const size = Math.abs(value);
  if (size < LEAST) return 0;
  const key = keyOfSize(Math.min(size, GREATEST)) + OFFSET;
  return value > 0 ? key : -key;
}

function keyOfSize(size: number): number {
  return Math.ceil(Math.log(size) / LOG_GAMMA);
}

/** The number in a bucket that is within the accuracy of all of its numbers. */
function valueOf(key: number): number {
  if (key === 0) return 0;
  const middle = Math.exp((Math.abs(key) - OFFSET) * LOG_GAMMA) * (1 - ACCURACY);
  return key > 0 ? middle : -middle;
}
