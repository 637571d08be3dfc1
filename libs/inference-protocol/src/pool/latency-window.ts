const SIZE = 128;
/** A quantile of fewer samples would say more about chance than about the workers. */
const LEAST_SAMPLES = 20;
const SAMPLES_BETWEEN_SORTS = 16;

/** A quantile of the last 128 latencies, by the nearest rank; computed again after every 16 samples. */
export class LatencyWindow {
  private readonly samples = new Float64Array(SIZE);
  private count = 0;
  private sortedAt = -SAMPLES_BETWEEN_SORTS;
  private value: number | undefined;

  /** @param quantile  in (0, 1] */
  constructor(private readonly quantile: number) {}

  record(milliseconds: number): void {
    this.samples[this.count % SIZE] = milliseconds;
    this.count += 1;
  }

  /** Milliseconds; undefined below 20 samples. */
  read(): number | undefined {
    if (this.count < LEAST_SAMPLES) return undefined;
    if (this.value !== undefined && this.count - this.sortedAt < SAMPLES_BETWEEN_SORTS) return this.value;
    const kept = Math.min(this.count, SIZE);
    const sorted = this.samples.slice(0, kept).sort();
    this.sortedAt = this.count;
    this.value = sorted[Math.ceil(this.quantile * kept) - 1];
    return this.value;
  }
}
