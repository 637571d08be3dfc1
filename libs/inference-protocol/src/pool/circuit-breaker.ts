export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * What one attempt says about a worker. `answered`: it did, even if with a refusal. `failed`: it answered that it could not,
 * which may be the model's fault. `unreachable`: it did not answer in a time that is fair. `undecided`: nothing, e.g. the
 * caller went away.
 */
export type AttemptOutcome = 'answered' | 'failed' | 'unreachable' | 'undecided';

/** Why a breaker opened: `silent` workers get no call but probes; `sick` ones are asked when nobody else is left. */
export type BreakerReason = 'silent' | 'sick';

export interface BreakerOptions {
  /** attempts in a row without an answer that open it */
  silentAttempts: number;
  /** share of attempts in the window, failed or unanswered, that opens it */
  errorRate: number;
  /** attempts in the window below which the share means nothing */
  leastAttempts: number;
  windowMs: number;
  /** pause before the first probe of an open one; doubles with each probe that fails */
  probeAfterMs: number;
  longestProbeAfterMs: number;
}

/** Keeps calls away from one worker. Open: one attempt after a pause passes as a probe; the probe that is answered closes it. */
export class CircuitBreaker {
  state: BreakerState = 'closed';
  reason: BreakerReason | undefined;
  private inARow = 0;
  private probeAt = 0;
  private pauseMs: number;
  private windowEndsAt = 0;
  private attempts = 0;
  private errors = 0;
  private earlierAttempts = 0;
  private earlierErrors = 0;

  /** @param onChange  told after each change of state */
  constructor(
    private readonly options: BreakerOptions,
    private readonly onChange: () => void,
  ) {
    this.pauseMs = options.probeAfterMs;
  }

  /** True at most once a pause while it is open: the attempt that is made then is the probe. */
  startProbe(now: number): boolean {
    if (this.state !== 'open' || now < this.probeAt) return false;
    this.enter('half-open', this.reason);
    return true;
  }

  /** The worker was away and is connected again: its silence then says nothing about now. */
  reconnected(): void {
    if (this.reason === 'silent') this.close();
    else this.inARow = 0;
  }

  /** Late outcomes of attempts made before it opened say nothing new; while it is not closed only the probe counts. */
  record(outcome: AttemptOutcome, now: number, isProbe: boolean): void {
    if (this.state === 'closed') this.judge(outcome, now);
    else if (isProbe && this.state === 'half-open') this.judgeProbe(outcome, now);
  }

  private judge(outcome: AttemptOutcome, now: number): void {
    if (outcome === 'undecided') return;
    this.moveWindow(now);
    this.attempts += 1;
    if (outcome === 'answered') {
      this.inARow = 0;
      return;
    }
    this.errors += 1;
    this.inARow = outcome === 'unreachable' ? this.inARow + 1 : 0;
    if (this.inARow >= this.options.silentAttempts) this.open('silent', now);
    else if (this.isSick()) this.open('sick', now);
  }

  private judgeProbe(outcome: AttemptOutcome, now: number): void {
    if (outcome === 'answered' || (outcome === 'failed' && this.reason === 'silent')) return this.close();
    if (outcome !== 'undecided') this.pauseMs = Math.min(this.pauseMs * 2, this.options.longestProbeAfterMs);
    this.open(this.reason ?? 'sick', now);
  }

  private isSick(): boolean {
    const attempts = this.attempts + this.earlierAttempts;
    const errors = this.errors + this.earlierErrors;
    return attempts >= this.options.leastAttempts && errors >= attempts * this.options.errorRate;
  }

  /** Two halves: the share is that of the last half to whole window. */
  private moveWindow(now: number): void {
    if (now < this.windowEndsAt) return;
    const half = this.options.windowMs / 2;
    const isRecent = now < this.windowEndsAt + half;
    this.earlierAttempts = isRecent ? this.attempts : 0;
    this.earlierErrors = isRecent ? this.errors : 0;
    this.attempts = 0;
    this.errors = 0;
    this.windowEndsAt = now + half;
  }

  private open(reason: BreakerReason, now: number): void {
    this.probeAt = now + this.pauseMs;
    this.enter('open', reason);
  }

  private close(): void {
    this.inARow = 0;
    this.pauseMs = this.options.probeAfterMs;
    this.attempts = this.errors = this.earlierAttempts = this.earlierErrors = 0;
    this.enter('closed', undefined);
  }

  private enter(state: BreakerState, reason: BreakerReason | undefined): void {
    this.state = state;
    this.reason = reason;
    this.onChange();
  }
}
