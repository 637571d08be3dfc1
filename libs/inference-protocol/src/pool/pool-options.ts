import type { BreakerOptions } from './circuit-breaker.js';
import type { PoolObserver } from './pool-observer.js';
import type { KubernetesAccess } from '../discovery/kubernetes-api.js';

/** When a second attempt is made on another worker although the first may still answer; the first answer wins. */
export type Hedging =
  | { delayMs: number }
  /** after this quantile of what the method took healthy workers lately, at least `leastDelayMs` */
  | { quantile: number; leastDelayMs: number };

export interface WorkerPoolOptions {
  /**
   * Where the workers are: `host:port`, several separated by commas; `dns:///name:port`, every address of the name, looked up
   * again; `dns://server:53/name:port`, asked of that server; `k8s:///service.namespace:port`, the ready endpoints of the
   * service as the Kubernetes API tells them, where the port is the pods' own number or name of it.
   */
  address: string;
  maxMessageBytes?: number;
  /** connections to each worker; more than one helps where a single one holds large messages of others up */
  channelsPerEndpoint?: number;
  /** attempts of one call at most, hedges apart */
  maxAttempts?: number;
  /** second attempts per call in the long run, hedges included; 0 makes none beyond the reserve */
  retryRatio?: number;
  /** second attempts that may be saved up for a bad moment */
  retryReserve?: number;
  /** none when left out */
  hedging?: Hedging;
  /** a deadline that is shorter and passes says more about the caller's haste than about the worker */
  fairDeadlineMs?: number;
  breaker?: Partial<BreakerOptions>;
  /** true: each worker's `grpc.health.v1.Health/Watch` says whether it gets calls */
  watchHealth?: boolean;
  /** pause between two look-ups of a DNS name */
  dnsRefreshMs?: number;
  /** where `k8s:` addresses are looked up; the pod's own service account when left out */
  kubernetes?: Partial<KubernetesAccess>;
  observer?: PoolObserver;
}

export type PoolSettings = Required<
  Omit<WorkerPoolOptions, 'hedging' | 'breaker' | 'kubernetes' | 'address'>
> & {
  hedging: Hedging | undefined;
  breaker: BreakerOptions;
};

const BREAKER: BreakerOptions = {
  silentAttempts: 5,
  errorRate: 0.5,
  leastAttempts: 20,
  windowMs: 10_000,
  probeAfterMs: 500,
  longestProbeAfterMs: 5_000,
};

export function withDefaults(options: WorkerPoolOptions): PoolSettings {
  return {
    maxMessageBytes: options.maxMessageBytes ?? 16 * 1024 * 1024,
    channelsPerEndpoint: options.channelsPerEndpoint ?? 1,
    maxAttempts: options.maxAttempts ?? 3,
    retryRatio: options.retryRatio ?? 0.1,
    retryReserve: options.retryReserve ?? 100,
    hedging: options.hedging,
    fairDeadlineMs: options.fairDeadlineMs ?? 100,
    breaker: { ...BREAKER, ...options.breaker },
    watchHealth: options.watchHealth ?? false,
    dnsRefreshMs: options.dnsRefreshMs ?? 1_000,
    observer: options.observer ?? {},
  };
}
