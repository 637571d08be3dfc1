import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BreakerState } from './circuit-breaker.js';

const STATES = ['closed', 'half-open', 'open'] as const satisfies readonly BreakerState[];

/** What the gateway's fetches do, by subgraph. */
export class SubgraphMetrics {
  private readonly fetches;
  private readonly retries;
  private readonly joined;
  private readonly breaker;

  constructor(registry: Registry) {
    const registers = [registry];
    this.fetches = new Histogram({
      name: 'sextant_gateway_subgraph_fetch_seconds',
      help: 'time of a fetch from a subgraph, retries included; outcome is ok, errors (of the subgraph) or the code of what failed',
      labelNames: ['subgraph', 'outcome'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.retries = new Counter({
      name: 'sextant_gateway_subgraph_retries_total',
      help: 'fetches that were sent again',
      labelNames: ['subgraph'] as const,
      registers,
    });
    this.joined = new Counter({
      name: 'sextant_gateway_subgraph_joined_total',
      help: 'fetches that took the answer of an equal one in flight',
      labelNames: ['subgraph'] as const,
      registers,
    });
    this.breaker = new Gauge({
      name: 'sextant_gateway_subgraph_breaker_state',
      help: '0 closed, 1 half-open (one probe is out), 2 open (fetches fail at once)',
      labelNames: ['subgraph'] as const,
      registers,
    });
  }

  /** @returns to be called with the outcome */
  begin(subgraph: string): (outcome: string) => void {
    const startedMs = performance.now();
    return (outcome) => this.fetches.observe({ subgraph, outcome }, (performance.now() - startedMs) / 1_000);
  }

  retried(subgraph: string): void {
    this.retries.inc({ subgraph });
  }

  wasJoined(subgraph: string): void {
    this.joined.inc({ subgraph });
  }

  breakerIs(subgraph: string, state: BreakerState): void {
    this.breaker.set({ subgraph }, STATES.indexOf(state));
  }
}
