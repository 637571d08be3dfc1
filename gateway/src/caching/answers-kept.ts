import type { Logger } from '@sextant/platform';
import { parse } from 'graphql';
import type { Db } from 'mongodb';
import type { Registry } from 'prom-client';
import type { SubgraphTransport } from '../engine/engine.js';
import { AnswerCache } from './answer-cache.js';
import { CacheMetrics } from './cache-metrics.js';
import { readCacheRules } from './cache-rules.js';
import { CachingTransport } from './caching.transport.js';
import { InvalidationLog } from './invalidation-log.js';
import { InvalidationSpread } from './invalidation-spread.js';

/** Longest read of the log of invalidations while nothing comes. */
const LONGEST_AWAIT_MS = 1_000;

export interface KeptAnswersOptions {
  /** of what is kept; 0: nothing is. The declarations of a supergraph are checked all the same */
  maxBytes: number;
  /** where gateways tell each other what was changed; null: they go by age */
  db: Db | null;
  /** of operations of the store */
  timeoutMs: number;
  registry: Registry;
  logger: Logger;
}

/** The cache of a gateway. */
export interface KeptAnswers {
  /** Puts the cache before a transport; a transport of a supergraph that declares nothing cacheable stays as it is. */
  keep(sdl: string, transport: SubgraphTransport): SubgraphTransport;
  /** before the store is closed */
  close(): Promise<void>;
}

/** One cache for all supergraphs that this gateway will serve; what mutations change at others is heard once something is cacheable. */
export function keptAnswers(options: KeptAnswersOptions): KeptAnswers {
  const { maxBytes, registry } = options;
  const cache = new AnswerCache({ maxBytes, now: Date.now });
  const metrics = new CacheMetrics(registry, cache);
  const spread = spreadOf(options, cache, metrics);
  const shared = { cache, metrics, spread, texts: { count: 0 } };
  return {
    keep(sdl, transport) {
      const rules = readCacheRules(parse(sdl, { noLocation: true }));
      if (rules.isEmpty || maxBytes === 0) return transport;
      spread?.start();
      return new CachingTransport(transport, rules, shared);
    },
    close: async () => spread?.close(),
  };
}

function spreadOf(
  { db, timeoutMs, logger }: KeptAnswersOptions,
  cache: AnswerCache,
  metrics: CacheMetrics,
): InvalidationSpread | null {
  if (!db) return null;
  const log = new InvalidationLog(db, { awaitMs: Math.min(LONGEST_AWAIT_MS, Math.floor(timeoutMs / 2)) });
  const onProblem = (err: unknown): void =>
    logger.warn({ err }, 'gateways cannot tell each other what was changed; kept answers go by their age');
  return new InvalidationSpread({ log, cache, metrics, onProblem });
}
