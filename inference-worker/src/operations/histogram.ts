/** Bounds of durations, in seconds; what the batch window, a queue and a deadline can be told apart by. */
export const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];
/** Bounds of batch sizes, in rows. */
export const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** A cumulative histogram with fixed bounds; observing allocates nothing and looks nothing up. */
export class Histogram {
  /** observations by bucket, not cumulative; the last one is beyond every bound */
  private readonly counts: Float64Array;
  sum = 0;
  count = 0;

  /** @param bounds  inclusive upper bounds, ascending */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** @param value  finite; anything else is dropped, since it would spoil the sum for good */
  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    counts[at] = (counts[at] as number) + 1;
    this.sum += value;
    this.count += 1;
  }

  /** Observations at or below each bound, in the order of {@link bounds}. */
  cumulative(): number[] {
    let total = 0;
    return this.bounds.map((_, at) => (total += this.counts[at] ?? 0));
  }

  /**
   * Estimate of a quantile, linear within its bucket; the largest bound where it lies beyond it, as Prometheus' `histogram_quantile` does.
   *
   * @param q  in (0, 1]
   * @returns null without observations
   */
  quantile(q: number): number | null {
    if (this.count === 0) return null;
    const rank = q * this.count;
    let before = 0;
    for (const [at, bound] of this.bounds.entries()) {
      const inside = this.counts[at] ?? 0;
      if (before + inside >= rank && inside > 0) {
        const lower = at === 0 ? 0 : (this.bounds[at - 1] ?? 0);
        return lower + ((bound - lower) * (rank - before)) / inside;
      }
      before += inside;
    }
    return this.bounds.at(-1) ?? null;
  }

  /** What was observed after an earlier copy of this one; all of it where the copy is of one that began anew since. */
  since(earlier: Histogram): Histogram {
    const rest = new Histogram(this.bounds);
    const isContinued = this.counts.every((count, at) => count >= (earlier.counts[at] ?? 0));
    this.counts.forEach((count, at) => {
      rest.counts[at] = isContinued ? count - (earlier.counts[at] ?? 0) : count;
    });
    rest.sum = isContinued ? this.sum - earlier.sum : this.sum;
    rest.count = isContinued ? this.count - earlier.count : this.count;
    return rest;
  }

  /** Counts another histogram of the same bounds into this one. */
  merge(other: Histogram): void {
    other.counts.forEach((count, at) => (this.counts[at] = (this.counts[at] ?? 0) + count));
    this.sum += other.sum;
    this.count += other.count;
  }
}
