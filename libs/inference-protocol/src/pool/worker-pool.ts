import type { MethodDefinition } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import { type CallOptions, metadataOf } from '../call-options.js';
import { type Discovery, discoveryOf } from '../discovery/discovery.js';
import { Balancer, type PoolState } from './balancer.js';
import { HedgeDelay } from './hedge-delay.js';
import { type PoolSettings, type WorkerPoolOptions, withDefaults } from './pool-options.js';
import { PooledCall, type PooledMethod, type PoolParts } from './pooled-call.js';
import { RetryBudget } from './retry-budget.js';
import { WorkerEndpoint } from './worker-endpoint.js';

export interface EndpointStatus {
  address: string;
  state: 'ready' | 'connecting' | 'down';
  breaker: 'closed' | 'open' | 'half-open';
  isServing: boolean;
  inFlight: number;
}

/** The inference workers behind one address: finds them, keeps connections to them, and brings each call to one that answers. */
export class WorkerPool {
  private readonly settings: PoolSettings;
  private readonly parts: PoolParts;
  private readonly endpoints = new Map<string, WorkerEndpoint>();
  private readonly discovery: Discovery;
  private readonly retiring = new Set<Promise<void>>();
  private isClosed = false;

  /** @throws DomainError CONFIG_INVALID when the address is none */
  constructor(options: WorkerPoolOptions) {
    this.settings = withDefaults(options);
    const { retryRatio, retryReserve } = this.settings;
    this.parts = {
      balancer: new Balancer(),
      budget: new RetryBudget(retryRatio, retryReserve),
      settings: this.settings,
    };
    this.discovery = discoveryOf(options.address, {
      dnsRefreshMs: this.settings.dnsRefreshMs,
      kubernetes: options.kubernetes ?? {},
    });
    this.discovery.start({
      found: (addresses) => this.replace(addresses),
      failed: (error) => {
        this.parts.balancer.failedToLookUp(error);
        this.settings.observer.discoveryFailed?.(error);
      },
    });
  }

  get state(): PoolState {
    return this.parts.balancer.state;
  }

  list(): EndpointStatus[] {
    return [...this.endpoints.values()].map(({ address, state, breaker, isServing, inFlight }) => ({
      address,
      state,
      breaker: breaker.state,
      isServing,
      inFlight,
    }));
  }

  /** A method of the workers, once for all its calls. */
  method<Request, Response>(
    name: string,
    definition: MethodDefinition<Request, Response>,
  ): PooledMethod<Request, Response> {
    const { hedging } = this.settings;
    if (!hedging || 'delayMs' in hedging) return { name, definition, hedgeDelay: undefined };
    const { balancer } = this.parts;
    const endpoints = () => balancer.usable;
    return {
      name,
      definition,
      hedgeDelay: new HedgeDelay(hedging.quantile, hedging.leastDelayMs, endpoints),
    };
  }

  /** Rejects with the DomainError of the worker's answer, or with INFERENCE_UNAVAILABLE at once while nobody takes calls. */
  call<Request, Response>(
    method: PooledMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const { deadlineMs, signal } = options;
      if (signal?.aborted) return reject(signal.reason);
      const refusal = this.refusalOf(deadlineMs);
      if (refusal) return reject(refusal);
      this.parts.budget.payIn();
      const input = { method, request, metadata: metadataOf(options), deadlineMs };
      if (!signal) return new PooledCall<Request, Response>(this.parts, input, { resolve, reject }).start();
      const cancel = (): void => call.cancel(signal.reason);
      const done = (): void => signal.removeEventListener('abort', cancel);
      const call = new PooledCall<Request, Response>(this.parts, input, {
        resolve: (response) => {
          done();
          resolve(response);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      });
      signal.addEventListener('abort', cancel, { once: true });
      call.start();
    });
  }

  /** No new calls; settles once the running ones have ended and every connection is closed. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.discovery.close();
    this.replace([]);
    await Promise.all(this.retiring);
  }

  private refusalOf(deadlineMs: number): DomainError | undefined {
    if (this.isClosed)
      return new DomainError('INFERENCE_UNAVAILABLE', 'the process is shutting down and asks no worker');
    if (deadlineMs > 0) return undefined;
    return new DomainError('INFERENCE_DEADLINE_EXCEEDED', 'no budget was left for the call');
  }

  private replace(addresses: readonly string[]): void {
    const wanted = new Set(addresses);
    const gone = [...this.endpoints.values()].filter(({ address }) => !wanted.has(address));
    const isUnchanged = gone.length === 0 && wanted.size === this.endpoints.size;
    for (const { address } of gone) this.endpoints.delete(address);
    for (const address of wanted) {
      if (!this.endpoints.has(address)) this.endpoints.set(address, this.connect(address));
    }
    this.parts.balancer.replace([...this.endpoints.values()]);
    for (const endpoint of gone) this.retire(endpoint);
    if (!isUnchanged) this.settings.observer.endpointsChanged?.([...wanted]);
  }

  private connect(address: string): WorkerEndpoint {
    const { channelsPerEndpoint: channels, maxMessageBytes, breaker, watchHealth, observer } = this.settings;
    return new WorkerEndpoint(address, {
      channels,
      maxMessageBytes,
      breaker,
      watchHealth,
      onChange: this.parts.balancer.refresh,
      onBreaker: (state, reason) => observer.breakerChanged?.(address, state, reason),
    });
  }

  private retire(endpoint: WorkerEndpoint): void {
    const retired = endpoint.retire().finally(() => this.retiring.delete(retired));
    this.retiring.add(retired);
  }
}
