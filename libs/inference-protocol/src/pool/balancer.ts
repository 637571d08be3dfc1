import { DomainError } from '@sextant/domain';
import type { WorkerConnection } from './worker-connection.js';
import type { WorkerEndpoint } from './worker-endpoint.js';

export interface Choice {
  endpoint: WorkerEndpoint;
  connection: WorkerConnection;
  /** the attempt decides whether the endpoint's breaker closes */
  isProbe: boolean;
}

/** What the pool does with a call now: `open` refuses it at once, `half-open` waits for a probe. */
export type PoolState = 'closed' | 'open' | 'half-open';

/**
 * Chooses the worker of each attempt: of two drawn at random the one with fewer calls under way, among those that are
 * connected, serving and not left out by their breaker; the sick ones when there is no other.
 *
 * Source: Mitzenmacher (2001), "The power of two choices in randomized load balancing", IEEE TPDS 12(10).
 */
export class Balancer {
  private endpoints: readonly WorkerEndpoint[] = [];
  /** those that take calls now */
  usable: readonly WorkerEndpoint[] = [];
  private sick: WorkerEndpoint[] = [];
  /** connected and serving, and their breaker is not closed: those a probe may go to */
  private leftOut: WorkerEndpoint[] = [];
  private isConnecting = false;
  private waiting = new Set<() => void>();
  private lookUpFailure: Error | undefined;
  private isLookedUp = false;

  constructor(private readonly random: () => number = Math.random) {}

  get state(): PoolState {
    if (this.usable.length + this.sick.length > 0 || this.mayComeSoon) return 'closed';
    return this.leftOut.some(({ breaker }) => breaker.state === 'half-open') ? 'half-open' : 'open';
  }

  /** True while nobody can take a call but somebody may in a moment, so that waiting is worthwhile. */
  get mayComeSoon(): boolean {
    return this.isConnecting || (!this.isLookedUp && !this.lookUpFailure);
  }

  /** All known endpoints, in place of those known before. */
  replace(endpoints: readonly WorkerEndpoint[]): void {
    this.isLookedUp = true;
    this.lookUpFailure = undefined;
    this.endpoints = endpoints;
    this.refresh();
  }

  failedToLookUp(error: Error): void {
    this.lookUpFailure = error;
    this.refresh();
  }

  /** Sorts the endpoints anew by what may become of a call to them, and wakes the calls that wait. */
  readonly refresh = (): void => {
    const ready = this.endpoints.filter((endpoint) => endpoint.state === 'ready' && endpoint.isServing);
    this.usable = ready.filter(({ breaker }) => breaker.state === 'closed');
    this.leftOut = ready.filter(({ breaker }) => breaker.state !== 'closed');
    this.sick = this.leftOut.filter(({ breaker }) => breaker.reason === 'sick');
    this.isConnecting = this.endpoints.some((endpoint) => endpoint.state === 'connecting');
    if (this.waiting.size === 0) return;
    const woken = this.waiting;
    this.waiting = new Set();
    for (const wake of woken) wake();
  };

  /** Called back once, at the next change. */
  wait(wake: () => void): void {
    this.waiting.add(wake);
  }

  stopWaiting(wake: () => void): void {
    this.waiting.delete(wake);
  }

  /** Where the first attempt of a call goes; undefined when nobody can take it. */
  choose(now: number): Choice | undefined {
    for (const endpoint of this.leftOut) {
      if (endpoint.breaker.startProbe(now)) return choiceOf(endpoint, true);
    }
    return choiceOf(this.draw(this.usable, now) ?? this.draw(this.sick, now), false);
  }

  /** Where a further attempt goes: to a worker that is healthy, has not had the call and has not asked for a pause. */
  chooseAnother(tried: readonly WorkerEndpoint[], now: number): Choice | undefined {
    const others = this.usable.filter((one) => !tried.includes(one) && !one.isLeftAlone(now));
    return choiceOf(this.draw(others, now), false);
  }

  /** Why nobody can take a call; the workers' addresses are in its cause only. */
  explain(): DomainError {
    if (this.endpoints.length === 0) {
      const why = this.lookUpFailure
        ? 'their address cannot be looked up'
        : 'their address names none that is ready';
      const cause = this.lookUpFailure ?? undefined;
      return new DomainError('INFERENCE_UNAVAILABLE', `no inference worker is known: ${why}`, { cause });
    }
    const counts = new Map<string, number>();
    for (const endpoint of this.endpoints)
      counts.set(whyNot(endpoint), (counts.get(whyNot(endpoint)) ?? 0) + 1);
    const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
    const details = this.endpoints
      .map((one) => `${one.address} ${whyNot(one)}: ${one.lastFailure}`)
      .join('; ');
    return new DomainError('INFERENCE_UNAVAILABLE', `no inference worker takes calls: ${reasons}`, {
      cause: new Error(details),
    });
  }

  private draw(from: readonly WorkerEndpoint[], now: number): WorkerEndpoint | undefined {
    if (from.length < 2) return from[0];
    const i = Math.floor(this.random() * from.length);
    const j = (i + 1 + Math.floor(this.random() * (from.length - 1))) % from.length;
    const [a, b] = [from[i], from[j]];
    if (!a || !b) return a ?? b;
    const isAPaused = a.isLeftAlone(now);
    if (isAPaused !== b.isLeftAlone(now)) return isAPaused ? b : a;
    return b.inFlight < a.inFlight ? b : a;
  }
}

function choiceOf(endpoint: WorkerEndpoint | undefined, isProbe: boolean): Choice | undefined {
  const connection = endpoint?.leastBusyConnection();
  return endpoint && connection && { endpoint, connection, isProbe };
}

function whyNot(endpoint: WorkerEndpoint): string {
  if (endpoint.state === 'connecting') return 'being connected to';
  if (endpoint.state === 'down') return 'unreachable';
  return endpoint.isServing ? 'left alone for a moment after calls without an answer' : 'not serving';
}
