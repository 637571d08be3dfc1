import DataLoader from 'dataloader';
import type { RequestContext } from './scope-enforcement.js';

/** Keys fetched by one call of the store or of another process. */
const MAX_BATCH = 1_000;

/**
 * One DataLoader a request, held weakly by its context: what one request loads is never seen by another, and resolvers
 * stay singletons (request-scoped providers cost a tree of instances for every request).
 */
export class RequestLoaders<K, V> {
  private readonly loaders = new WeakMap<RequestContext, DataLoader<K, V, string>>();

  /**
   * @param loadMany  values in the order of their keys, for the tenant of the request
   * @param keyOf     what makes two keys the same
   */
  constructor(
    private readonly loadMany: (tenantId: string, keys: readonly K[]) => Promise<V[]>,
    private readonly keyOf: (key: K) => string,
  ) {}

  load(context: RequestContext, key: K): Promise<V> {
    return this.of(context).load(key);
  }

  /** What a mutation of the same request has changed is read again. */
  clear(context: RequestContext, key: K): void {
    this.of(context).clear(key);
  }

  private of(context: RequestContext): DataLoader<K, V, string> {
    const existing = this.loaders.get(context);
    if (existing) return existing;
    const { tenantId } = context.identity;
    const loader = new DataLoader<K, V, string>((keys) => this.loadMany(tenantId, keys), {
      cacheKeyFn: this.keyOf,
      maxBatchSize: MAX_BATCH,
    });
    this.loaders.set(context, loader);
    return loader;
  }
}
