import { Counter, Gauge, type Registry } from 'prom-client';
import type { AnswerCache } from './answer-cache.js';

/** What the cache of the gateway saves. */
export class CacheMetrics {
  private readonly lookups;
  private readonly invalidations;

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
}
