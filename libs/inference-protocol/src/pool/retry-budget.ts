/**
 * What second attempts may cost. Each call pays in a share of an attempt and each second attempt takes out a whole one, so that
 * an outage is not multiplied: once the reserve is spent, at most `ratio` of the calls are made again.
 */
export class RetryBudget {
  private attempts: number;

  /**
   * @param ratio    second attempts per call, in the long run
   * @param reserve  second attempts that may be saved up, and that there are at the start
   */
  constructor(
    private readonly ratio: number,
    private readonly reserve: number,
  ) {
    this.attempts = reserve;
  }

  payIn(): void {
    this.attempts = Math.min(this.reserve, this.attempts + this.ratio);
  }

  /** True when a second attempt may be made; it is paid for then. */
  take(): boolean {
    if (this.attempts < 1) return false;
    this.attempts -= 1;
    return true;
  }
}
