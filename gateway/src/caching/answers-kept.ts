import { parse } from 'graphql';
import type { Registry } from 'prom-client';
import type { SubgraphTransport } from '../engine/engine.js';
import { AnswerCache } from './answer-cache.js';
import { CacheMetrics } from './cache-metrics.js';
import { readCacheRules } from './cache-rules.js';
import { CachingTransport } from './caching.transport.js';

/** Puts the cache before a transport; a transport of a supergraph that declares nothing cacheable stays as it is. */
export type KeepAnswers = (sdl: string, transport: SubgraphTransport) => SubgraphTransport;

/**
 * One cache for all supergraphs that this gateway will serve.
 *
 * @param maxBytes  of what is kept; 0: nothing is. The declarations of a supergraph are checked all the same.
 */
export function answersKept(maxBytes: number, registry: Registry): KeepAnswers {
  const cache = new AnswerCache({ maxBytes, now: Date.now });
  const shared = { cache, metrics: new CacheMetrics(registry, cache), texts: { count: 0 } };
  return (sdl, transport) => {
    const rules = readCacheRules(parse(sdl, { noLocation: true }));
    return rules.isEmpty || maxBytes === 0 ? transport : new CachingTransport(transport, rules, shared);
  };
}
