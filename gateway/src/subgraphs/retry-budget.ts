/** Retries that may be saved up, and that a fresh gateway has. */
const MOST_SAVED = 10;

/** Attempts of one query, the first included. */
export const MOST_ATTEMPTS = 3;

const FIRST_PAUSE_MS = 25;

/**
 * How many calls may be made again: a further one for every tenth call in the long run, so that retries never multiply the load
 * of a subgraph that is down.
 */
export class RetryBudget {
  private saved = MOST_SAVED;

  /** @param ratio  retries earned by each call, in [0, 1] */
  constructor(private readonly ratio: number) {}

  /** A call that was made for the first time. */
  earn(): void {
    this.saved = Math.min(MOST_SAVED, this.saved + this.ratio);
  }

  /** Takes one retry; false when none is left. */
  spend(): boolean {
    if (this.saved < 1) return false;
    this.saved -= 1;
    return true;
  }
}

/**
 * Pause before an attempt: between half and the whole of 25 ms, doubled with each further one, so that gateways which failed
 * together do not come back together.
 *
 * @param attempt  number of the attempt that failed, from 1
 * @param random   uniform in [0, 1)
 */
export function pauseBeforeRetryMs(attempt: number, random: number): number {
  return FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random / 2);
}
