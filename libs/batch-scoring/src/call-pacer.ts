import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';

export interface PacerOptions {
  /** calls at the same time while nobody pushes back */
  maxConcurrency: number;
  /** how long a call may find no worker that answers before it is given up */
  patienceMs: number;
}

/** Pauses between two attempts of a call that found nobody; the shorter one grows to the longer. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** Workers that are there but fail: so often a call is made again before its rows are doubted. */
const MOST_FAILED_RUNS = 2;

/**
 * Calls that nobody waits for, as many at a time as the workers like: a worker that is full halves the number and is left alone
 * for as long as it asks; each answer raises it a little, up to the most.
 */
export class CallPacer {
  private limit: number;
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private quietUntil = 0;
  /** how often a worker pushed back */
  pushbacks = 0;

  constructor(
    private readonly options: PacerOptions,
    private readonly signal: AbortSignal,
  ) {
    this.limit = options.maxConcurrency;
  }

  /**
   * Makes a call until it is answered or refused for good.
   *
   * @throws DomainError of the call: one that names bad input at once, INFERENCE_FAILED after a few attempts, the others when
   *   patience ran out; the signal's reason when it was aborted
   */
  async call<T>(make: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + this.options.patienceMs;
    for (let attempt = 0, failed = 0; ; attempt += 1) {
      await this.enter();
      try {
        const answer = await make();
        this.limit = Math.min(this.options.maxConcurrency, this.limit + 1 / this.limit);
        return answer;
      } catch (error) {
        this.signal.throwIfAborted();
        if (!(error instanceof DomainError) || !isTemporary(error)) throw error;
        if (error.code === 'INFERENCE_FAILED' && ++failed > MOST_FAILED_RUNS) throw error;
        if (performance.now() > giveUpAt) throw error;
        this.backOff(error, attempt);
      } finally {
        this.leave();
      }
    }
  }

  private backOff(error: DomainError, attempt: number): void {
    const pauseMs = error.retryAfterMs ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    this.quietUntil = Math.max(this.quietUntil, performance.now() + pauseMs);
    if (error.code !== 'QUEUE_FULL') return;
    this.pushbacks += 1;
    this.limit = Math.max(1, this.limit / 2);
  }

  private async enter(): Promise<void> {
    while (this.running >= Math.floor(this.limit)) await new Promise<void>((go) => this.waiting.push(go));
    this.running += 1;
    try {
      for (;;) {
        this.signal.throwIfAborted();
        const pauseMs = this.quietUntil - performance.now();
        if (pauseMs <= 0) return;
        await sleep(pauseMs, undefined, { signal: this.signal });
      }
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  private leave(): void {
    this.running -= 1;
    for (const go of this.waiting.splice(0)) go();
  }
}

function isTemporary({ kind, code }: DomainError): boolean {
  if (code === 'INFERENCE_FAILED') return true;
  return kind === 'unavailable' || kind === 'resource-exhausted' || kind === 'deadline-exceeded';
}
