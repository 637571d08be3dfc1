/** Nonces are kept together by the second in which their requests were signed. */
const BUCKET_MS = 1_000;

/**
 * Tells a signed request from its replay: remembers each nonce for as long as its request would still be accepted, which is
 * about 150 bytes for each request of the last `maxAgeMs`. Of one process: a replay to another replica passes, while it is fresh.
 */
export class ReplayGuard {
  private readonly buckets = new Map<number, Set<string>>();
  private sweepAtMs = 0;

  /** @param maxAgeMs  oldest and most premature signature that is accepted */
  constructor(private readonly maxAgeMs: number) {}

  /**
   * False when the nonce came before.
   *
   * @param atMs  when the request was signed; at most `maxAgeMs` away from `nowMs`
   */
  isFirst(nonce: string, atMs: number, nowMs: number): boolean {
    this.sweep(nowMs);
    const second = Math.floor(atMs / BUCKET_MS);
    const bucket = this.buckets.get(second);
    if (!bucket) {
      this.buckets.set(second, new Set([nonce]));
      return true;
    }
    if (bucket.has(nonce)) return false;
    bucket.add(nonce);
    return true;
  }

  /** Nonces that are remembered. */
  get size(): number {
    return [...this.buckets.values()].reduce((sum, { size }) => sum + size, 0);
  }

  private sweep(nowMs: number): void {
    if (nowMs < this.sweepAtMs) return;
    this.sweepAtMs = nowMs + BUCKET_MS;
    const oldest = Math.floor((nowMs - this.maxAgeMs) / BUCKET_MS);
    for (const second of this.buckets.keys()) if (second < oldest) this.buckets.delete(second);
  }
}
