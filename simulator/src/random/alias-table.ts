import type { RandomStream } from './random-stream.js';

/**
 * Draws index i with probability weights[i] / Σ weights in constant time.
 *
 * Source: Vose (1991), "A linear algorithm for generating random numbers with a given distribution".
 */
export class AliasTable {
  private readonly threshold: Float64Array;
  private readonly alias: Int32Array;

  /**
   * @param weights  shape [n], n ≥ 1, each ≥ 0 and finite, at least one > 0
   * @throws RangeError otherwise
   */
  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0) || !Number.isFinite(total) || weights.some((weight) => weight < 0)) {
      throw new RangeError('weights must be finite and >= 0, with at least one above 0');
    }
    const n = weights.length;
    const scaled = Float64Array.from(weights, (weight) => (weight * n) / total);
    this.threshold = new Float64Array(n).fill(1);
    this.alias = Int32Array.from(weights, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    scaled.forEach((weight, index) => (weight < 1 ? small : large).push(index));
    for (
      let low = small.pop(), high = large.pop();
      low !== undefined && high !== undefined;
      low = small.pop()
    ) {
      this.threshold[low] = scaled[low] ?? 1;
      this.alias[low] = high;
      scaled[high] = (scaled[high] ?? 0) + (scaled[low] ?? 0) - 1;
      if ((scaled[high] ?? 0) < 1) {
        small.push(high);
        high = large.pop();
      }
    }
  }

  draw(random: RandomStream): number {
    const index = random.below(this.alias.length);
    return random.next() < (this.threshold[index] ?? 1) ? index : (this.alias[index] ?? index);
  }
}
