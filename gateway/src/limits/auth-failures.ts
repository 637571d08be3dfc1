import { DomainError } from '@sextant/domain';
import { TokenBuckets } from './token-buckets.js';

/** Failed identifications that an address may make at once, and each second in the long run. */
const FAILURES = { burst: 300, rate: 10 };
/** A success makes an address one of real clients for so long, e.g. that of a proxy before all of them. */
const TRUSTED_MS = 60_000;
const MOST_ADDRESSES = 50_000;

/**
 * Ends floods of bad tokens before anything is verified: an address that failed too often, and from which nobody was identified
 * in the last minute, waits.
 */
export class AuthFailures {
  private readonly failures: TokenBuckets;
  private readonly identifiedAtMs = new Map<string, number>();

  constructor(private readonly nowMs: () => number) {
    this.failures = new TokenBuckets(nowMs, MOST_ADDRESSES);
  }

  /** @throws DomainError RATE_LIMITED without asking `identify`, or what it throws */
  async identify<T>(address: string, identify: () => Promise<T>): Promise<T> {
    const identifiedAtMs = this.identifiedAtMs.get(address) ?? Number.NEGATIVE_INFINITY;
    const isTrusted = this.nowMs() - identifiedAtMs < TRUSTED_MS;
    const retryAfterMs = isTrusted ? 0 : this.failures.waitMs(address, 1, FAILURES);
    if (retryAfterMs > 0) {
      const message = `too many requests from your address had no valid token: try again in ${retryAfterMs} ms`;
      throw new DomainError('RATE_LIMITED', message, { retryAfterMs });
    }
    try {
      const identity = await identify();
      this.trust(address);
      return identity;
    } catch (error) {
      if (error instanceof DomainError && error.kind === 'unauthenticated')
        this.failures.take(address, 1, FAILURES);
      throw error;
    }
  }

  private trust(address: string): void {
    this.identifiedAtMs.delete(address);
    this.identifiedAtMs.set(address, this.nowMs());
    const [oldest] = this.identifiedAtMs.keys();
    if (this.identifiedAtMs.size > MOST_ADDRESSES && oldest !== undefined) this.identifiedAtMs.delete(oldest);
  }
}
