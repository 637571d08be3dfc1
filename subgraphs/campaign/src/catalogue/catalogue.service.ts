import { checkPageSize, type Clock, decodeCursor, type MinorMoney, type Page, pageOf } from '@sextant/domain';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK } from '../clock.js';
import { readRows, type UserError } from '../row-errors.js';
import { LOWEST_PRICE_DAYS, lowestPrice } from './lowest-price.js';
import { type Product, type ProductInput, readProductInput } from './product.js';
import { ProductRepository } from './product.repository.js';

const MAX_PRODUCTS_PER_CALL = 1_000;
const MAX_PAGE = 100;
const DAY_MS = 24 * 60 * 60 * 1_000;

@Injectable()
export class CatalogueService {
  constructor(
    private readonly repository: ProductRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One product or null for each id, in the order of the ids. */
  async findByIds(tenantId: string, ids: readonly string[]): Promise<(Product | null)[]> {
    const products = await this.repository.findByIds(tenantId, ids);
    const byId = new Map(products.map((product) => [product.id, product]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async list(
    tenantId: string,
    page: { first: number; after?: string | null; category?: string | null },
  ): Promise<Page<Product>> {
    const limit = checkPageSize(page.first, MAX_PAGE);
    const [afterId] = page.after == null ? [] : decodeCursor(page.after, ['string']);
    const rows = await this.repository.list(tenantId, {
      limit: limit + 1,
      ...(afterId !== undefined && { afterId: String(afterId) }),
      ...(page.category != null && { category: page.category }),
    });
    return pageOf(rows, { limit, after: page.after, keyOf: ({ id }) => [id] });
  }

  /** The lowest list price of the last 30 days for each product, in their order. */
  async lowestPrices(tenantId: string, products: readonly Product[]): Promise<(MinorMoney | null)[]> {
    const since = new Date(this.clock.now().getTime() - LOWEST_PRICE_DAYS * DAY_MS);
    const ids = [...new Set(products.map(({ id }) => id))];
    const pricesOf = await this.repository.listPricesSince(tenantId, ids, since);
    return products.map(({ id, listPrice }) => lowestPrice(listPrice, pricesOf.get(id) ?? []));
  }

  /** @throws DomainError BATCH_TOO_LARGE */
  async upsert(
    tenantId: string,
    inputs: readonly ProductInput[],
  ): Promise<{ upserted: number; userErrors: UserError[] }> {
    const { rows, userErrors } = readRows(inputs, {
      list: 'products',
      max: MAX_PRODUCTS_PER_CALL,
      idOf: ({ id }) => id,
      read: readProductInput,
    });
    await this.repository.save(tenantId, rows, this.clock.now());
    return { upserted: rows.length, userErrors };
  }
}
