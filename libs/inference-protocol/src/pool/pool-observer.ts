import type { BreakerReason, BreakerState } from './circuit-breaker.js';

export type AttemptKind = 'first' | 'retry' | 'hedge';

export interface AttemptStart {
  /** address of the worker */
  endpoint: string;
  /** name of the method, e.g. `Recommend` */
  method: string;
  kind: AttemptKind;
}

export interface AttemptEnd extends AttemptStart {
  /** name of the gRPC status, e.g. `OK`; `CANCELLED` for the attempt that lost against a hedge */
  status: string;
  milliseconds: number;
}

/** What an operator may want to know of the pool. Observers must not throw, and run between calls: they must be quick. */
export interface PoolObserver {
  attemptStarted?(attempt: AttemptStart): void;
  attemptFinished?(attempt: AttemptEnd): void;
  /** a second attempt was wanted and the budget was spent */
  budgetSpent?(wanted: 'retry' | 'hedge'): void;
  /** the attempt that was made second answered first */
  hedgeWon?(attempt: AttemptStart): void;
  breakerChanged?(endpoint: string, state: BreakerState, reason: BreakerReason | undefined): void;
  endpointsChanged?(addresses: readonly string[]): void;
  /** addresses could not be looked up; those known so far stay */
  discoveryFailed?(error: Error): void;
}
