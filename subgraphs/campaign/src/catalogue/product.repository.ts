import type { MinorMoney } from '@sextant/domain';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectConnection, InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Connection, Model } from 'mongoose';
import type { Product, ProductChange } from './product.js';
import {
  PRICE_HISTORY_MODEL,
  type PriceHistoryDocument,
  PRODUCT_MODEL,
  type ProductDocument,
} from './product.schema.js';

/** A product and the list price it had before a change; undefined for a new product. */
interface Repriced {
  productId: string;
  price: MinorMoney | null;
}

@Injectable()
export class ProductRepository implements OnModuleInit {
  constructor(
    @InjectConnection() private readonly connection: Connection,
    @InjectModel(PRODUCT_MODEL) private readonly products: Model<ProductDocument>,
    @InjectModel(PRICE_HISTORY_MODEL) private readonly prices: Model<PriceHistoryDocument>,
  ) {}

  async onModuleInit(): Promise<void> {
    await Promise.all([this.products.createIndexes(), this.prices.createIndexes()]);
  }

  async findByIds(tenantId: string, ids: readonly string[]): Promise<Product[]> {
    const rows = await this.products.find({ tenantId, productId: { $in: ids } }).lean();
    return rows.map(asProduct);
  }

  /** Up to `limit` products in order of id, behind `afterId`. */
  async list(
    tenantId: string,
    page: { afterId?: string; category?: string; limit: number },
  ): Promise<Product[]> {
    const filter = {
      tenantId,
      ...(page.category !== undefined && { categories: page.category }),
      ...(page.afterId !== undefined && { productId: { $gt: page.afterId } }),
    };
    const rows = await this.products.find(filter).sort({ productId: 1 }).limit(page.limit).lean();
    return rows.map(asProduct);
  }

  /** Per product, the list prices in force at any moment from `since` on, in no order. */
  async listPricesSince(
    tenantId: string,
    ids: readonly string[],
    since: Date,
  ): Promise<Map<string, MinorMoney[]>> {
    const rows = await this.prices
      .find(
        { tenantId, productId: { $in: ids }, $or: [{ until: null }, { until: { $gt: since } }] },
        { productId: 1, price: 1 },
      )
      .lean();
    const pricesOf = new Map<string, MinorMoney[]>();
    for (const { productId, price } of rows) {
      const prices = pricesOf.get(productId) ?? [];
      prices.push(price);
      pricesOf.set(productId, prices);
    }
    return pricesOf;
  }

  /** Stores all changes and their price history, or none; the ids are distinct. */
  async save(tenantId: string, changes: readonly ProductChange[], at: Date): Promise<void> {
    if (changes.length === 0) return;
    await this.connection.transaction(async (session) => {
      const repriced = await this.repricedBy(tenantId, changes, session);
      await this.products.bulkWrite(
        changes.map((change) => upsertOf(tenantId, change, at)),
        { session, ordered: true },
      );
      await this.recordPrices(tenantId, repriced, { at, session });
    });
  }

  private async repricedBy(
    tenantId: string,
    changes: readonly ProductChange[],
    session: ClientSession,
  ): Promise<Repriced[]> {
    const priced = changes.filter(({ listPrice }) => listPrice !== undefined);
    const stored = await this.products
      .find(
        { tenantId, productId: { $in: priced.map(({ id }) => id) } },
        { productId: 1, listPrice: 1 },
        { session },
      )
      .lean();
    const before = new Map(stored.map(({ productId, listPrice }) => [productId, listPrice]));
    return priced
      .filter(({ id, listPrice }) => !isSamePrice(before.get(id) ?? null, listPrice ?? null))
      .map(({ id, listPrice }) => ({ productId: id, price: listPrice ?? null }));
  }

  private async recordPrices(
    tenantId: string,
    repriced: readonly Repriced[],
    { at, session }: { at: Date; session: ClientSession },
  ): Promise<void> {
    if (repriced.length === 0) return;
    const productIds = repriced.map(({ productId }) => productId);
    await this.prices.updateMany(
      { tenantId, productId: { $in: productIds }, until: null },
      { $set: { until: at } },
      { session },
    );
    const begun = repriced.flatMap(({ productId, price }) =>
      price ? [{ tenantId, productId, price, from: at, until: null }] : [],
    );
    if (begun.length > 0) await this.prices.insertMany(begun, { session });
  }
}

function upsertOf(tenantId: string, { id, ...change }: ProductChange, at: Date) {
  const initial: Partial<ProductDocument> = {
    sku: null,
    categories: [],
    listPrice: null,
    cost: null,
    stock: null,
  };
  const missing = Object.fromEntries(Object.entries(initial).filter(([field]) => !(field in change)));
  const set = { ...change, ...(change.categories && { categories: [...change.categories] }), updatedAt: at };
  return {
    updateOne: {
      filter: { tenantId, productId: id },
      update: { $set: set, $setOnInsert: missing },
      upsert: true,
    },
  };
}

function isSamePrice(a: MinorMoney | null, b: MinorMoney | null): boolean {
  return a?.amountMinor === b?.amountMinor && a?.currency === b?.currency;
}

function asProduct({ productId, sku, title, categories, listPrice, cost, stock }: ProductDocument): Product {
  return { id: productId, sku, title, categories, listPrice, cost, stock };
}
