/** When a subgraph is given up for a while, and for how long. */
export interface BreakerPolicy {
  /** over which failures are counted */
  windowMs: number;
  /** calls in the window below which nothing is concluded */
  leastCalls: number;
  /** share of failed calls from which on it opens, in (0, 1] */
  failureRatio: number;
  /** first pause; each failed probe doubles it */
  firstPauseMs: number;
  longestPauseMs: number;
}

export const BREAKER_POLICY: BreakerPolicy = {
  windowMs: 10_000,
  leastCalls: 20,
  failureRatio: 0.5,
  firstPauseMs: 500,
  longestPauseMs: 4_000,
};

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What a call that was let through reports, once. */
export interface Pass {
  succeed(): void;
  fail(): void;
  /** ended without telling anything about the subgraph: its client left, or brought too short a deadline */
  forget(): void;
}

interface Slice {
  at: number;
  calls: number;
  failures: number;
}

const SLICES = 10;

/**
 * Keeps calls away from a subgraph that fails: it opens when most calls of a window failed, lets one call through as a probe
 * after a pause, and closes when a probe was answered.
 */
export class CircuitBreaker {
  private slices: Slice[] = [];
  private pauseMs: number;
  private openUntil = 0;
  private isOpen = false;
  private isProbing = false;

  /**
   * @param options.now       milliseconds of a clock that never goes back
   * @param options.onChange  told of each new state
   */
  constructor(
    private readonly options: {
      policy: BreakerPolicy;
      now: () => number;
      onChange?: (state: BreakerState) => void;
    },
  ) {
    this.pauseMs = options.policy.firstPauseMs;
  }

  get state(): BreakerState {
    if (!this.isOpen) return 'closed';
    return this.isProbing || this.options.now() >= this.openUntil ? 'half-open' : 'open';
  }

  /** @returns what to report to; or, while calls are kept away, milliseconds until the next may be tried */
  enter(): Pass | number {
    if (!this.isOpen) return this.counted();
    const waitMs = this.openUntil - this.options.now();
    if (this.isProbing || waitMs > 0) return Math.max(1, Math.ceil(waitMs));
    this.isProbing = true;
    this.options.onChange?.('half-open');
    return this.probe();
  }

  private counted(): Pass {
    return {
      succeed: () => this.count(0),
      fail: () => this.count(1),
      forget: () => undefined,
    };
  }

  private probe(): Pass {
    return {
      succeed: () => {
        this.isOpen = false;
        this.isProbing = false;
        this.slices = [];
        this.pauseMs = this.options.policy.firstPauseMs;
        this.options.onChange?.('closed');
      },
      fail: () => {
        this.pauseMs = Math.min(this.pauseMs * 2, this.options.policy.longestPauseMs);
        this.open();
      },
      forget: () => {
        this.isProbing = false;
      },
    };
  }

  private count(failures: 0 | 1): void {
    if (this.isOpen) return; // began before it opened
    const { windowMs, leastCalls, failureRatio } = this.options.policy;
    const now = this.options.now();
    const at = Math.floor(now / (windowMs / SLICES));
    const last = this.slices.at(-1);
    if (last?.at === at) {
      last.calls += 1;
      last.failures += failures;
    } else {
      this.slices = this.slices.filter((slice) => slice.at > at - SLICES);
      this.slices.push({ at, calls: 1, failures });
    }
    if (failures === 0) return;
    const calls = this.slices.reduce((sum, slice) => sum + slice.calls, 0);
    const failed = this.slices.reduce((sum, slice) => sum + slice.failures, 0);
    if (calls >= leastCalls && failed / calls >= failureRatio) this.open();
  }

  private open(): void {
    this.isOpen = true;
    this.isProbing = false;
    this.openUntil = this.options.now() + this.pauseMs;
    this.options.onChange?.('open');
  }
}
