import { Counter, Gauge, type Registry } from 'prom-client';
import type { AnswerCache } from './answer-cache.js';

/** What the cache of the gateway saves. */
export class CacheMetrics {
  private readonly lookups;
  private readonly invalidations;
  private readonly heardInvalidations;
  private readonly spreadFailures;
  private readonly hearing;

  constructor(registry: Registry, cache: AnswerCache) {
    const registers = [registry];
    this.lookups = new Counter({
      name: 'sextant_gateway_cache_lookups_total',
      help: 'entities and answers that are declared cacheable: hit, miss, or stale (used because the subgraph failed)',
      labelNames: ['subgraph', 'outcome'] as const,
      registers,
    });
    this.invalidations = new Counter({
      name: 'sextant_gateway_cache_invalidations_total',
      help: 'types of a tenant that mutations declared changed',
      registers,
    });
    this.heardInvalidations = new Counter({
      name: 'sextant_gateway_cache_invalidations_heard_total',
      help: 'types of a tenant that other gateways told were changed',
      registers,
    });
    this.spreadFailures = new Counter({
      name: 'sextant_gateway_cache_spread_failures_total',
      help: 'failed attempts to tell other gateways of a change (write) or to hear them (read); meanwhile entries go by their age',
      labelNames: ['step'] as const,
      registers,
    });
    this.hearing = new Gauge({
      name: 'sextant_gateway_cache_hears_others',
      help: '1 while this gateway hears what others say was changed; 0: entries go by their age',
      registers,
    });
    new Gauge({
      name: 'sextant_gateway_cache_bytes',
      help: 'memory that kept answers take, roughly',
      registers,
      collect() {
        this.set(cache.bytes);
      },
    });
  }

  looked(subgraph: string, outcome: 'hit' | 'miss' | 'stale', count: number): void {
    if (count > 0) this.lookups.inc({ subgraph, outcome }, count);
  }

  invalidated(types: number): void {
    this.invalidations.inc(types);
  }

  heard(types: number): void {
    this.heardInvalidations.inc(types);
  }

  spreadFailed(step: 'read' | 'write'): void {
    this.spreadFailures.inc({ step });
  }

  hears(isHearing: boolean): void {
    this.hearing.set(isHearing ? 1 : 0);
  }
}
