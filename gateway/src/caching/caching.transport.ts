import type { Identity } from '@sextant/domain';
import { GraphQLError } from 'graphql';
import type { SubgraphAnswer, SubgraphFetch, SubgraphTransport } from '../engine/engine.js';
import type { AnswerCache } from './answer-cache.js';
import type { CacheMetrics } from './cache-metrics.js';
import type { CacheRules } from './cache-rules.js';
import type { InvalidationSpread } from './invalidation-spread.js';
import { type CacheableFetch, type FetchNature, natureOf } from './cacheable-fetch.js';

/** Texts of fetches whose nature is remembered. */
const MOST_TEXTS = 2_000;
/** Places at which one failure is reported. */
const MOST_PLACES = 100;

/** What outlives a supergraph. */
export interface SharedCache {
  cache: AnswerCache;
  metrics: CacheMetrics;
  /** to other gateways; null: they go by age */
  spread: Pick<InvalidationSpread, 'tell'> | null;
  /** number of the last text of a fetch that was looked at */
  texts: { count: number };
}

interface KnownText extends FetchNature {
  /** stands for the text in keys */
  id: number;
}

/** One fetch that is declared cacheable. */
interface Lookup {
  subgraph: string;
  fetch: SubgraphFetch;
  cacheable: CacheableFetch;
  /** of everything but a representation */
  prefix: string;
  generation: string;
}

/**
 * Answers fetches of which everything is declared cacheable from memory. Keys hold tenant, roles and all else that is known of
 * the caller but the subject, the text of the fetch and its variables; what shows a type is not used any more once a mutation
 * that declares to change it has ended here, or was told to have ended at another gateway.
 */
export class CachingTransport implements SubgraphTransport {
  private readonly known = new Map<string, KnownText>();

  constructor(
    private readonly inner: SubgraphTransport,
    private readonly rules: CacheRules,
    private readonly shared: SharedCache,
  ) {}

  async execute(subgraph: string, fetch: SubgraphFetch): Promise<SubgraphAnswer> {
    const { id, cacheable, invalidates } = this.natureOf(fetch.query);
    const { identity } = fetch.context;
    const { tenantId } = identity;
    if (!cacheable) {
      const answer = await this.inner.execute(subgraph, fetch);
      if (invalidates.length > 0) {
        this.shared.cache.invalidate(tenantId, invalidates);
        this.shared.metrics.invalidated(invalidates.length);
        this.shared.spread?.tell(tenantId, invalidates);
      }
      return answer;
    }
    const generation = this.shared.cache.generationOf(tenantId, cacheable.types);
    const { lookup } = cacheable;
    const variables = lookup
      ? Object.entries(fetch.variables ?? {}).filter(([name]) => name !== lookup.variable)
      : fetch.variables;
    const prefix = `${id} ${subgraph} ${rightsOf(identity)} ${JSON.stringify(variables ?? null)} `;
    const asked = { subgraph, fetch, cacheable, prefix, generation };
    return lookup ? this.entities(asked, lookup) : this.whole(asked);
  }

  subscribe(subgraph: string, fetch: SubgraphFetch): AsyncIterable<SubgraphAnswer> {
    return this.inner.subscribe(subgraph, fetch);
  }

  private async whole(asked: Lookup): Promise<SubgraphAnswer> {
    const { subgraph, fetch, prefix, generation } = asked;
    const { cache, metrics } = this.shared;
    const kept = cache.get(prefix, generation);
    if (kept !== null) {
      metrics.looked(subgraph, 'hit', 1);
      fetch.context.ledger.cached += 1;
      return { data: JSON.parse(kept) as Record<string, unknown> };
    }
    metrics.looked(subgraph, 'miss', 1);
    const answer = await this.inner.execute(subgraph, fetch);
    if (answer.data && !answer.errors && !Object.values(answer.data).includes(null)) {
      cache.put(prefix, JSON.stringify(answer.data), { generation, policy: asked.cacheable.policy });
      return answer;
    }
    const stale = isOutage(answer) ? cache.get(prefix, generation, 'stale') : null;
    if (stale === null) return answer;
    metrics.looked(subgraph, 'stale', 1);
    fetch.context.ledger.cached += 1;
    return { data: JSON.parse(stale) as Record<string, unknown> };
  }

  private async entities(asked: Lookup, at: { key: string; variable: string }): Promise<SubgraphAnswer> {
    const { subgraph, fetch, prefix, generation } = asked;
    const { cache, metrics } = this.shared;
    const representations = (fetch.variables?.[at.variable] ?? []) as readonly unknown[];
    const keys = representations.map((representation) => prefix + JSON.stringify(representation));
    const texts = keys.map((key) => cache.get(key, generation));
    const missing = texts.flatMap((text, index) => (text === null ? [index] : []));
    metrics.looked(subgraph, 'hit', keys.length - missing.length);
    metrics.looked(subgraph, 'miss', missing.length);
    fetch.context.ledger.cached += keys.length - missing.length;
    if (missing.length === 0) return { data: { [at.key]: parseList(texts) } };
    const answer = await this.inner.execute(subgraph, withOnly(fetch, at.variable, missing));
    const fetched = answer.data?.[at.key];
    if (!Array.isArray(fetched) || fetched.length !== missing.length)
      return this.withoutFetched(asked, at, { answer, keys, texts, missing });
    if (!answer.errors) this.keep(asked, { keys, missing }, fetched);
    if (missing.length === keys.length) return answer;
    const list = parseList(texts);
    missing.forEach((index, position) => (list[index] = fetched[position]));
    const errors = answer.errors?.map((error) => movedTo(error, at.key, missing));
    return { data: { [at.key]: list }, ...(errors && { errors }) };
  }

  private keep(
    { cacheable: { policy }, generation }: Lookup,
    { keys, missing }: { keys: readonly string[]; missing: readonly number[] },
    fetched: readonly unknown[],
  ): void {
    fetched.forEach((entity, position) => {
      const key = keys[missing[position] ?? -1];
      if (key !== undefined && entity !== null)
        this.shared.cache.put(key, JSON.stringify(entity), { generation, policy });
    });
  }

  /** The fetch failed: what is kept is used, also if it is stale where that is declared; the rest carries the error. */
  private withoutFetched(
    { subgraph, fetch, generation }: Lookup,
    { key: responseKey }: { key: string },
    found: {
      answer: SubgraphAnswer;
      keys: readonly string[];
      texts: (string | null)[];
      missing: readonly number[];
    },
  ): SubgraphAnswer {
    const { answer, keys, texts, missing } = found;
    const stale = isOutage(answer)
      ? missing.filter((index) => {
          texts[index] = this.shared.cache.get(keys[index] ?? '', generation, 'stale');
          return texts[index] !== null;
        })
      : [];
    this.shared.metrics.looked(subgraph, 'stale', stale.length);
    fetch.context.ledger.cached += stale.length;
    const left = missing.filter((index) => texts[index] === null);
    if (left.length === keys.length) return answer;
    const data = { [responseKey]: parseList(texts) };
    const [error] = answer.errors ?? [];
    if (left.length === 0 || !error) return { data };
    const errors = left
      .slice(0, MOST_PLACES)
      .map(
        (index) =>
          new GraphQLError(error.message, { path: [responseKey, index], extensions: error.extensions }),
      );
    return { data, errors };
  }

  private natureOf(query: string): KnownText {
    const known = this.known.get(query);
    if (known) return known;
    const [oldest] = this.known.keys();
    if (this.known.size >= MOST_TEXTS && oldest !== undefined) this.known.delete(oldest);
    this.shared.texts.count += 1;
    const found = { ...natureOf(query, this.rules), id: this.shared.texts.count };
    this.known.set(query, found);
    return found;
  }
}

/** All that is known of a caller but who it is. */
function rightsOf(identity: Identity): string {
  const known = RIGHTS.get(identity);
  if (known !== undefined) return known;
  const rights = JSON.stringify({ ...identity, subject: '' });
  RIGHTS.set(identity, rights);
  return rights;
}
const RIGHTS = new WeakMap<Identity, string>();

function withOnly(fetch: SubgraphFetch, variable: string, indices: readonly number[]): SubgraphFetch {
  const all = (fetch.variables?.[variable] ?? []) as readonly unknown[];
  if (indices.length === all.length) return fetch;
  const { variablesJson: _, ...rest } = fetch;
  return { ...rest, variables: { ...fetch.variables, [variable]: indices.map((index) => all[index]) } };
}

/** Objects of the caller's own: what is fetched is changed by whoever gets it. */
function parseList(texts: readonly (string | null)[]): unknown[] {
  return JSON.parse(`[${texts.map((text) => text ?? 'null').join(',')}]`) as unknown[];
}

/** Only what failed on the way; an answer that refuses something is none that a stale one may stand for. */
function isOutage({ errors }: SubgraphAnswer): boolean {
  return errors?.every(({ extensions }) => String(extensions['code']).startsWith('SUBGRAPH_')) ?? false;
}

function movedTo(error: GraphQLError, key: string, indices: readonly number[]): GraphQLError {
  const [first, position, ...rest] = error.path ?? [];
  const index = typeof position === 'number' ? indices[position] : undefined;
  if (first !== key || index === undefined) return error;
  return new GraphQLError(error.message, { path: [key, index, ...rest], extensions: error.extensions });
}
