import type { MinorMoney } from '@sextant/domain';
import { Schema } from 'mongoose';

export const PRODUCT_MODEL = 'Product';
export const PRICE_HISTORY_MODEL = 'PriceHistory';

export const moneySchema = new Schema<MinorMoney>(
  {
    amountMinor: { type: Number, required: true, validate: Number.isSafeInteger },
    currency: { type: String, required: true },
  },
  { _id: false },
);

/** One document an article of a tenant. */
export interface ProductDocument {
  tenantId: string;
  productId: string;
  sku: string | null;
  title: string;
  categories: string[];
  listPrice: MinorMoney | null;
  cost: MinorMoney | null;
  stock: number | null;
  updatedAt: Date;
}

export const productSchema = new Schema<ProductDocument>(
  {
    tenantId: { type: String, required: true },
    productId: { type: String, required: true },
    sku: { type: String, default: null },
    title: { type: String, required: true },
    categories: { type: [String], required: true },
    listPrice: { type: moneySchema, default: null },
    cost: { type: moneySchema, default: null },
    stock: { type: Number, min: 0, default: null },
    updatedAt: { type: Date, required: true },
  },
  { collection: 'products', strict: 'throw', versionKey: false, autoIndex: false, autoCreate: false },
)
  .index({ tenantId: 1, productId: 1 }, { name: 'product_by_id', unique: true })
  .index({ tenantId: 1, categories: 1, productId: 1 }, { name: 'products_of_category' });

/** One document for each stretch of time in which an article had one list price. */
export interface PriceHistoryDocument {
  tenantId: string;
  productId: string;
  price: MinorMoney;
  from: Date;
  /** the first moment at which it no longer held; null while it holds */
  until: Date | null;
}

export const priceHistorySchema = new Schema<PriceHistoryDocument>(
  {
    tenantId: { type: String, required: true },
    productId: { type: String, required: true },
    price: { type: moneySchema, required: true },
    from: { type: Date, required: true },
    until: { type: Date, default: null },
  },
  { collection: 'price_history', strict: 'throw', versionKey: false, autoIndex: false, autoCreate: false },
).index({ tenantId: 1, productId: 1, until: 1 }, { name: 'prices_in_force_since' });
