import {
  type ClientUnaryCall,
  type Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import { toDomainError } from '../grpc-status.js';
import { readPushback } from '../retry-hint.js';
import { isFromServer, outcomeOf, wasRefused } from './attempt-outcome.js';
import type { Balancer, Choice } from './balancer.js';
import type { AttemptOutcome } from './circuit-breaker.js';
import type { HedgeDelay } from './hedge-delay.js';
import type { AttemptKind, AttemptStart } from './pool-observer.js';
import type { PoolSettings } from './pool-options.js';
import type { RetryBudget } from './retry-budget.js';
import type { WorkerEndpoint } from './worker-endpoint.js';

/** A further attempt makes sense only while at least this much of the budget is left. */
const LEAST_RETRY_MS = 5;
/** Longest pause before the first retry; it doubles with each, and the pause is drawn evenly below it. */
const BACKOFF_MS = 10;
/** What setTimeout can wait at most. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface PoolParts {
  balancer: Balancer;
  budget: RetryBudget;
  settings: PoolSettings;
}

export interface PooledMethod<Request, Response> {
  readonly name: string;
  readonly definition: MethodDefinition<Request, Response>;
  /** where its attempts are hedged by a quantile */
  readonly hedgeDelay: HedgeDelay | undefined;
}

export interface CallInput<Request, Response> {
  method: PooledMethod<Request, Response>;
  request: Request;
  metadata: Metadata;
  deadlineMs: number;
}

export interface CallEnd<Response> {
  resolve(response: Response): void;
  reject(reason: unknown): void;
}

interface Attempt {
  readonly start: AttemptStart;
  readonly startedAt: number;
  /** what of the budget was left for it */
  readonly givenMs: number;
  wire: ClientUnaryCall | undefined;
}

/**
 * One call from its first attempt to its answer. Inference changes nothing, so that an attempt that may or may not have arrived
 * can be made again; all attempts share one deadline, and none is left running after the answer.
 */
export class PooledCall<Request, Response> {
  private readonly deadline: number;
  private readonly tried: WorkerEndpoint[] = [];
  private readonly running: Attempt[] = [];
  private attempts = 0;
  private isSettled = false;
  private isWaiting = false;
  private hasHedgeWon = false;
  /** of a worker whose queue is full: then only another one may be asked */
  private refusal: DomainError | undefined;
  private pause: NodeJS.Timeout | undefined;
  private hedgeTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: PoolParts,
    private readonly input: CallInput<Request, Response>,
    private readonly end: CallEnd<Response>,
  ) {
    this.deadline = Date.now() + input.deadlineMs;
  }

  start(): void {
    this.proceed();
    if (this.parts.settings.hedging && this.running.length > 0) this.planHedge();
  }

  /** Ends the attempts under way; the call fails with the reason unless it has been answered. */
  cancel(reason: unknown): void {
    if (this.settle()) this.end.reject(reason);
  }

  /** Makes the next attempt: now, or as soon as somebody is connected. */
  private readonly proceed = (): void => {
    if (this.isSettled) return;
    const { balancer } = this.parts;
    const now = performance.now();
    const another = this.tried.length > 0 ? balancer.chooseAnother(this.tried, now) : undefined;
    if (!another && this.refusal) return this.cancel(this.refusal);
    const choice = another ?? balancer.choose(now);
    if (choice) {
      this.stopWaiting();
      this.attempt(choice, this.attempts === 0 ? 'first' : 'retry');
    } else if (balancer.mayComeSoon) this.wait();
    else this.cancel(balancer.explain());
  };

  private wait(): void {
    this.parts.balancer.wait(this.proceed);
    if (this.isWaiting) return;
    this.isWaiting = true;
    const tooLate = (): void => this.cancel(this.parts.balancer.explain());
    this.pause = setTimeout(tooLate, Math.min(this.deadline - Date.now(), LONGEST_TIMER_MS));
  }

  private stopWaiting(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.parts.balancer.stopWaiting(this.proceed);
    clearTimeout(this.pause);
  }

  private attempt({ endpoint, connection, isProbe }: Choice, kind: AttemptKind): void {
    const { method, request, metadata } = this.input;
    const { observer } = this.parts.settings;
    const start: AttemptStart = { endpoint: endpoint.address, method: method.name, kind };
    const givenMs = this.deadline - Date.now();
    const attempt: Attempt = { start, startedAt: performance.now(), givenMs, wire: undefined };
    if (kind !== 'hedge') this.attempts += 1;
    this.tried.push(endpoint);
    this.running.push(attempt);
    endpoint.began(connection);
    observer.attemptStarted?.(start);
    const { path, requestSerialize, responseDeserialize } = method.definition;
    attempt.wire = connection.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      { deadline: this.deadline },
      (error, response) => {
        if (error && !this.isSettled) nameLoss(error);
        const now = performance.now();
        endpoint.ended(connection);
        this.running.splice(this.running.indexOf(attempt), 1);
        endpoint.breaker.record(error ? this.judge(error, attempt) : 'answered', now, isProbe);
        const milliseconds = now - attempt.startedAt;
        if (!error || this.hasHedgeWon) method.hedgeDelay?.record(endpoint, milliseconds);
        observer.attemptFinished?.({ ...start, status: status[error?.code ?? status.OK], milliseconds });
        if (error) this.failed(error, endpoint, now);
        else this.answered(response, start);
      },
    );
  }

  private judge(error: ServiceError, { start, givenMs }: Attempt): AttemptOutcome {
    // Who keeps losing against hedges is slower than the others.
    if (this.hasHedgeWon && start.kind !== 'hedge') return 'failed';
    return outcomeOf(error, givenMs >= this.parts.settings.fairDeadlineMs);
  }

  private answered(response: Response | undefined, start: AttemptStart): void {
    if (this.isSettled) return;
    if (start.kind === 'hedge') {
      this.hasHedgeWon = true;
      this.parts.settings.observer.hedgeWon?.(start);
    }
    this.settle();
    if (response !== undefined) this.end.resolve(response);
    else this.end.reject(new DomainError('INFERENCE_FAILED', 'the worker sent an empty answer'));
  }

  private failed(error: ServiceError, endpoint: WorkerEndpoint, now: number): void {
    const pushback = readPushback(error.metadata);
    if (typeof pushback === 'number') endpoint.leaveAlone(pushback, now);
    if (error.code === status.UNAVAILABLE) endpoint.lastFailure = error.details;
    if (this.isSettled) return;
    const isTemporary = error.code === status.UNAVAILABLE || error.code === status.RESOURCE_EXHAUSTED;
    if (isTemporary && this.running.length > 0) return;
    const failure = toDomainError(error);
    this.refusal = failure.code === 'QUEUE_FULL' ? failure : undefined;
    const mayBeRepeated = this.refusal
      ? this.parts.balancer.chooseAnother(this.tried, now) !== undefined
      : error.code === status.UNAVAILABLE;
    if (!mayBeRepeated || pushback === 'never' || !this.retryLater(wasRefused(error))) this.cancel(failure);
  }

  /**
   * @param isFree  the last attempt cost no worker anything
   * @returns false when no further attempt is due
   */
  private retryLater(isFree: boolean): boolean {
    const { settings, budget } = this.parts;
    const pauseMs = Math.random() * BACKOFF_MS * 2 ** (this.attempts - 1);
    if (this.attempts >= settings.maxAttempts) return false;
    if (this.deadline - Date.now() < pauseMs + LEAST_RETRY_MS) return false;
    if (!isFree && !budget.take()) {
      settings.observer.budgetSpent?.('retry');
      return false;
    }
    this.pause = setTimeout(this.proceed, pauseMs);
    return true;
  }

  private planHedge(): void {
    const { hedging } = this.parts.settings;
    const delayMs = hedging && 'delayMs' in hedging ? hedging.delayMs : this.input.method.hedgeDelay?.read();
    if (delayMs === undefined || delayMs + LEAST_RETRY_MS > this.input.deadlineMs) return;
    this.hedgeTimer = setTimeout(this.hedge, delayMs);
  }

  private readonly hedge = (): void => {
    if (this.isSettled || this.running.length !== 1) return;
    const { balancer, budget, settings } = this.parts;
    const choice = balancer.chooseAnother(this.tried, performance.now());
    if (!choice) return;
    if (budget.take()) this.attempt(choice, 'hedge');
    else settings.observer.budgetSpent?.('hedge');
  };

  /** @returns false when it was settled before */
  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.stopWaiting();
    clearTimeout(this.pause);
    clearTimeout(this.hedgeTimer);
    for (const { wire } of this.running) wire?.cancel();
    return true;
  }
}

/** Nobody here cancelled it: the worker closed the connection with the call on it, which is how a server ends that must. */
function nameLoss(error: ServiceError): void {
  if (error.code !== status.CANCELLED || isFromServer(error)) return;
  error.code = status.UNAVAILABLE;
  error.details = 'the worker closed the connection';
}
