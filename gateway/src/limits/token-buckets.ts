/** How fast a bucket fills and how much it holds. */
export interface BucketRate {
  /** units a second */
  rate: number;
  /** units; also what may be taken at once */
  burst: number;
}

interface Bucket {
  /** may be negative: somebody used more than was estimated, or more at once than the bucket holds */
  level: number;
  atMs: number;
}

/**
 * Token buckets by key, in the memory of this process. The ones used least recently are forgotten beyond a number, which fills
 * them: keys must not be a caller's to choose.
 */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly nowMs: () => number,
    private readonly mostBuckets = 50_000,
  ) {}

  /** Units that are left. */
  level(key: string, rate: BucketRate): number {
    return this.filled(key, rate).level;
  }

  /**
   * Milliseconds until so many units can be taken; 0: now. More than the bucket holds can be taken when it is full.
   */
  waitMs(key: string, units: number, { rate, burst }: BucketRate): number {
    const missing = Math.min(units, burst) - this.filled(key, { rate, burst }).level;
    return missing <= 0 ? 0 : Math.ceil((missing / rate) * 1_000);
  }

  /** Takes units, or gives them back where they are negative. */
  take(key: string, units: number, rate: BucketRate): void {
    const bucket = this.filled(key, rate);
    bucket.level = Math.min(rate.burst, bucket.level - units);
  }

  private filled(key: string, { rate, burst }: BucketRate): Bucket {
    const nowMs = this.nowMs();
    const known = this.buckets.get(key);
    const bucket = known ?? { level: burst, atMs: nowMs };
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.level = Math.min(burst, bucket.level + (passedMs / 1_000) * rate);
    bucket.atMs = nowMs;
    if (known) this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > this.mostBuckets) {
      const [oldest] = this.buckets.keys();
      if (oldest !== undefined) this.buckets.delete(oldest);
    }
    return bucket;
  }
}
