import { DomainError, toMinor } from '@sextant/domain';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { NeighbourGraph } from '../neighbour-graph.client.js';
import type { PredictionMetrics } from '../prediction-metrics.js';
import type { PricedProduct } from './price-rules.js';

/** A product as pricing knows it. */
export interface CatalogueProduct extends PricedProduct {
  id: string;
  /** units on hand; null when not counted */
  stock: number | null;
  categories: readonly string[];
}

const FRESH_MS = 30_000;
/** How long a row may stand in for one that cannot be read. */
const STALE_MS = 24 * 60 * 60 * 1000;
const MAX_ROWS = 50_000;

const QUERY = `query PricingCatalogue($representations: [_Any!]!) {
  _entities(representations: $representations) {
    ... on Product { id listPrice { amount currency } cost { amount currency } stock categories }
  }
}`;

const money = z.object({ amount: z.string(), currency: z.string() }).nullable();
const answerSchema = z.object({
  data: z.object({
    _entities: z.array(
      z
        .object({
          id: z.string(),
          listPrice: money,
          cost: money,
          stock: z.number().nullable(),
          categories: z.array(z.string()).nullable(),
        })
        .nullable(),
    ),
  }),
  errors: z.undefined().optional(),
});

type CatalogueEntity = NonNullable<z.output<typeof answerSchema>['data']['_entities'][number]>;

interface Row {
  /** null: the catalogue has no list price for it */
  product: CatalogueProduct | null;
  readAt: number;
}

/**
 * The catalogue through the campaign subgraph's own graph, as a service of the tenant. Rows are read together, kept for
 * 30 seconds, and served for up to a day while the campaign subgraph cannot answer.
 */
export class CatalogueClient {
  private readonly rows = new LRUCache<string, Row>({ max: MAX_ROWS });

  constructor(
    private readonly campaign: NeighbourGraph,
    private readonly metrics: PredictionMetrics,
  ) {}

  /** In the order of the ids: the product, or PRODUCT_NOT_FOUND, or CATALOGUE_UNAVAILABLE in its place. */
  async productsOf(
    tenantId: string,
    productIds: readonly string[],
  ): Promise<(CatalogueProduct | DomainError)[]> {
    const wanted = [...new Set(productIds)].filter((id) => !this.isFresh(this.rows.get(keyOf(tenantId, id))));
    this.metrics.catalogueReads.inc({ outcome: 'fresh' }, productIds.length - wanted.length);
    const failure = wanted.length === 0 ? null : await this.read(tenantId, wanted);
    return productIds.map((id) => {
      const row = this.rows.get(keyOf(tenantId, id));
      if (!row || !this.isWithin(row, STALE_MS))
        return failure ?? unavailable(`the catalogue sent no row for it`);
      return (
        row.product ??
        new DomainError('PRODUCT_NOT_FOUND', 'the catalogue has no such product with a list price')
      );
    });
  }

  private async read(tenantId: string, productIds: readonly string[]): Promise<DomainError | null> {
    try {
      const entities = await this.post(tenantId, productIds);
      productIds.forEach((id, i) => {
        this.rows.set(keyOf(tenantId, id), {
          product: toProduct(id, entities[i] ?? null),
          readAt: Date.now(),
        });
      });
      this.metrics.catalogueReads.inc({ outcome: 'fetched' }, productIds.length);
      return null;
    } catch (error) {
      const stale = productIds.filter((id) => this.rows.has(keyOf(tenantId, id))).length;
      this.metrics.catalogueReads.inc({ outcome: 'stale' }, stale);
      this.metrics.catalogueReads.inc({ outcome: 'failed' }, productIds.length - stale);
      return unavailable('the catalogue could not be read', error);
    }
  }

  private async post(tenantId: string, productIds: readonly string[]) {
    const representations = productIds.map((id) => ({ __typename: 'Product', id }));
    const answer = await this.campaign.ask(
      { tenantId, scopes: ['catalogue:read', 'campaign:read'] },
      { query: QUERY, variables: { representations } },
    );
    return answerSchema.parse(answer).data._entities;
  }

  private isFresh(row: Row | undefined): boolean {
    return row !== undefined && this.isWithin(row, FRESH_MS);
  }

  private isWithin(row: Row, ageMs: number): boolean {
    return Date.now() - row.readAt < ageMs;
  }
}

function toProduct(id: string, entity: CatalogueEntity | null): CatalogueProduct | null {
  if (!entity?.listPrice) return null;
  const list = toMinor(entity.listPrice);
  if (list.amountMinor <= 0) return null;
  const cost =
    entity.cost && entity.cost.currency === list.currency ? toMinor(entity.cost).amountMinor : null;
  return {
    id,
    listPriceMinor: list.amountMinor,
    costMinor: cost,
    currency: list.currency,
    stock: entity.stock,
    categories: entity.categories ?? [],
  };
}

function keyOf(tenantId: string, productId: string): string {
  return `${tenantId}\0${productId}`;
}

function unavailable(message: string, cause?: unknown): DomainError {
  return new DomainError('CATALOGUE_UNAVAILABLE', `${message}; try again in a moment`, { cause });
}
