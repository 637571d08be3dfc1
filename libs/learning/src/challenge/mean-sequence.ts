/** Bets beyond this share of what could be lost would make one outlier too dear. */
const LARGEST_BET = 0.5;

export interface Bounds {
  low: number;
  high: number;
}

/**
 * A confidence sequence for the mean of bounded values: the chance that the mean ever lies outside the interval, however often one
 * looks and whenever one stops, is at most `alpha`. It adapts to the variance, and needs no independence beyond a constant conditional mean.
 *
 * Empty: the whole range. O(1) memory; the interval depends on the order of the values.
 *
 * Source: Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", JRSS B: the predictable plug-in
 * empirical-Bernstein sequence (theorem 2), its running intersection taken.
 */
export class MeanSequence {
  private count = 0;
  private total = 0;
  private squares = 0;
  private bets = 0;
  private weighted = 0;
  private cost = 0;
  private best: Bounds = { low: 0, high: 1 };

  /**
   * @param range  every value lies in it
   * @param alpha  in (0, 1)
   * @throws RangeError
   */
  constructor(
    private readonly range: Bounds,
    private readonly alpha: number,
  ) {
    if (!(range.low < range.high)) throw new RangeError(`no range from ${range.low} to ${range.high}`);
    if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must be in (0, 1), got ${alpha}`);
  }

  /** @throws RangeError for a value outside the range */
  add(value: number): void {
    const { low, high } = this.range;
    const x = (value - low) / (high - low);
    if (!(x >= 0 && x <= 1)) throw new RangeError(`${value} is not in [${low}, ${high}]`);
    const t = this.count + 1;
    const guess = (0.5 + this.total) / t;
    const variance = (0.25 + this.squares) / t;
    const bet = Math.min(
      LARGEST_BET,
      Math.sqrt((2 * Math.log(2 / this.alpha)) / (variance * t * Math.log(1 + t))),
    );
    this.bets += bet;
    this.weighted += bet * x;
    this.cost += 4 * (x - guess) ** 2 * ((-Math.log(1 - bet) - bet) / 4);
    this.count = t;
    this.total += x;
    this.squares += (x - (0.5 + this.total) / (t + 1)) ** 2;
    this.narrow();
  }

  get values(): number {
    return this.count;
  }

  /** Of the values so far; NaN without any. */
  get mean(): number {
    const { low, high } = this.range;
    return low + (high - low) * (this.total / this.count);
  }

  interval(): Bounds {
    const { low, high } = this.range;
    return { low: low + (high - low) * this.best.low, high: low + (high - low) * this.best.high };
  }

  private narrow(): void {
    const centre = this.weighted / this.bets;
    const margin = (Math.log(2 / this.alpha) + this.cost) / this.bets;
    const low = Math.max(this.best.low, centre - margin);
    const high = Math.min(this.best.high, centre + margin);
    // Where the two cross, the values were no sample of one mean: the newest interval is told, not an empty one.
    this.best =
      low <= high
        ? { low, high }
        : { low: Math.max(0, Math.min(1, centre - margin)), high: Math.max(0, Math.min(1, centre + margin)) };
  }
}
