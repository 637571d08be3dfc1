import type { FeatureStore, PopularItem } from '@sextant/features';
import { LRUCache } from 'lru-cache';
import { within } from '../customer/customer-features.service.js';

/** Enough for the longest slate after 500 exclusions and still a slate. */
const ITEMS = 600;
const FRESH_MS = 60_000;
const TENANTS = 1_000;

interface Ranking {
  items: Promise<PopularItem[]>;
  readAt: number;
}

/** Each tenant's popular products, read at most once a minute, and kept when the store goes away. */
export class Popularity {
  private readonly rankings = new LRUCache<string, Ranking>({ max: TENANTS });

  constructor(
    private readonly store: Pick<FeatureStore, 'popularItems'>,
    private readonly timeoutMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Most popular first. Rejects when the store is away and was never read. */
  async itemsOf(tenantId: string): Promise<PopularItem[]> {
    const known = this.rankings.get(tenantId);
    if (known && this.now() - known.readAt < FRESH_MS) return known.items;
    const reading: Ranking = {
      items: within(this.timeoutMs, this.store.popularItems(tenantId, ITEMS)),
      readAt: this.now(),
    };
    this.rankings.set(tenantId, reading);
    try {
      return await reading.items;
    } catch (error) {
      if (this.rankings.get(tenantId) === reading) this.fallBackTo(tenantId, known);
      if (known) return known.items;
      throw error;
    }
  }

  private fallBackTo(tenantId: string, known: Ranking | undefined): void {
    if (known) this.rankings.set(tenantId, known);
    else this.rankings.delete(tenantId);
  }
}
