export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** failures in a row that open it */
  threshold: number;
  /** milliseconds between two probes while it is open; also how long after the worker's return it may stay open */
  probeEveryMs: number;
  /** milliseconds on any monotonic scale */
  now(): number;
}

/**
 * Keeps requests from spending their budget on a dead worker. Closed: every call passes. Open: one call in `probeEveryMs`
 * passes as a probe, all others are refused at once; the first probe that succeeds closes it.
 */
export class CircuitBreaker {
  private failures = 0;
  private openedOrProbedAt = 0;
  private probing = false;

  constructor(private readonly options: BreakerOptions) {}

  get state(): BreakerState {
    if (this.failures < this.options.threshold) return 'closed';
    return this.probing ? 'half-open' : 'open';
  }

  /** True when a call may be made; the caller then reports its outcome once. */
  admits(): boolean {
    if (this.failures < this.options.threshold) return true;
    const now = this.options.now();
    if (now - this.openedOrProbedAt < this.options.probeEveryMs) return false;
    this.openedOrProbedAt = now;
    this.probing = true;
    return true;
  }

  /** The worker answered, even if with a refusal. */
  succeeded(): void {
    this.failures = 0;
    this.probing = false;
  }

  /** The worker could not be reached, or did not answer in a time that is fair. */
  failed(): void {
    this.failures += 1;
    this.probing = false;
    this.openedOrProbedAt = this.options.now();
  }

  /** The call says nothing about the worker, e.g. its deadline was too short to be fair. */
  undecided(): void {
    this.probing = false;
  }
}
