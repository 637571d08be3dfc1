/** What one observation counts for after twenty more: about a third. */
const DECAY = 0.95;
/** One slow batch is as likely the machine's doing as the model's: it counts as this many times what was expected, at most. */
const MOST_SURPRISE = 4;
const MOST_SPREAD = 1;
/** Milliseconds below which clocks and schedulers tell nothing. */
const NOISE_MS = 0.05;

/**
 * Time of a batch as a straight line in its rows, `overhead + perRow × rows`, learnt by least squares from the batches that
 * ran; recent ones count more. How far batches stray from the line is kept beside it.
 */
export class RunTimeModel {
  private weight = 0;
  private rows = 0;
  private ms = 0;
  private rowsSquared = 0;
  private rowsMs = 0;
  private strayed = 0;
  private overhead = 0;
  private perRow = 0;

  /** @param measuredMs  time of one batch of `rows` rows */
  observe(rows: number, measuredMs: number): void {
    let ms = measuredMs;
    if (this.weight > 0) {
      const expected = this.estimate(rows, rows) + NOISE_MS;
      ms = Math.min(measuredMs, MOST_SURPRISE * expected);
      this.strayed = DECAY * this.strayed + (1 - DECAY) * (ms / expected - 1) ** 2;
    }
    this.weight = DECAY * this.weight + 1;
    this.rows = DECAY * this.rows + rows;
    this.ms = DECAY * this.ms + ms;
    this.rowsSquared = DECAY * this.rowsSquared + rows * rows;
    this.rowsMs = DECAY * this.rowsMs + rows * ms;
    this.fit();
  }

  /** Standard deviation of a batch's time as a share of its estimate, at most 1. */
  get spread(): number {
    return Math.min(Math.sqrt(this.strayed), MOST_SPREAD);
  }

  /** Milliseconds that `rows` rows take in batches of at most `cap`, one after the other; 0 before the first observation. */
  estimate(rows: number, cap: number): number {
    if (this.weight === 0 || rows === 0) return 0;
    return Math.ceil(rows / cap) * this.overhead + rows * this.perRow;
  }

  /** The most rows whose batch takes at most `ms`; Infinity where rows cost nothing measurable, 0 before the first observation. */
  rowsWithin(ms: number): number {
    if (this.weight === 0) return 0;
    if (this.overhead >= ms) return 0;
    return this.perRow === 0 ? Number.POSITIVE_INFINITY : Math.floor((ms - this.overhead) / this.perRow);
  }

  /** Neither part is ever negative; batches of one size say nothing of the overhead, then all is put down to the rows. */
  private fit(): void {
    const meanRows = this.rows / this.weight;
    const meanMs = this.ms / this.weight;
    const variance = this.rowsSquared / this.weight - meanRows * meanRows;
    const covariance = this.rowsMs / this.weight - meanRows * meanMs;
    const proportional = meanMs / meanRows;
    const slope = variance <= 1e-9 * meanRows * meanRows ? proportional : covariance / variance;
    this.perRow = Math.min(Math.max(slope, 0), proportional);
    this.overhead = meanMs - this.perRow * meanRows;
  }
}
