/** Interval of the timer whose lateness is measured. */
const PERIOD_MS = 20;
/** Weight of the newest measurement where the lag falls; a rise counts at once. */
const NEWEST = 0.3;

/** How late the event loop is: work that arrived waits this long before any of it is seen. */
export class LoopLag {
  private smoothed = 0;
  private due = performance.now() + PERIOD_MS;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => this.measure(), PERIOD_MS);
    this.timer.unref();
  }

  /** Milliseconds. */
  get ms(): number {
    return this.smoothed;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private measure(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.due);
    this.smoothed = late > this.smoothed ? late : this.smoothed + NEWEST * (late - this.smoothed);
    this.due = now + PERIOD_MS;
  }
}
