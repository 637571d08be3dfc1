import { type DecimalMoney, DomainError, type MinorMoney, toMinor } from '@sextant/domain';

/** An article as the catalogue keeps it. */
export interface Product {
  id: string;
  sku: string | null;
  title: string;
  categories: readonly string[];
  listPrice: MinorMoney | null;
  cost: MinorMoney | null;
  /** units on hand; null when it is not counted */
  stock: number | null;
}

/** A row of `upsertProducts`: undefined keeps the stored value, null clears it. */
export interface ProductInput {
  id: string;
  sku?: string | null;
  title: string;
  categories?: readonly string[] | null;
  listPrice?: DecimalMoney | null;
  cost?: DecimalMoney | null;
  stock?: number | null;
}

/** The fields of a product that a row sets. */
export type ProductChange = { id: string; title: string } & Partial<Omit<Product, 'id' | 'title'>>;

/**
 * Checks one row and reads its money.
 *
 * @throws DomainError INVALID_INPUT or INVALID_MONEY whose path is the field within the row
 */
export function readProductInput(input: ProductInput): ProductChange {
  checkLength(input.id, 'id', { min: 1, max: 128 });
  checkLength(input.title, 'title', { min: 1, max: 500 });
  if (input.sku) checkLength(input.sku, 'sku', { min: 1, max: 128 });
  const change: ProductChange = { id: input.id, title: input.title };
  if (input.sku !== undefined) change.sku = input.sku;
  if (input.categories !== undefined) change.categories = readCategories(input.categories ?? []);
  if (input.listPrice !== undefined) change.listPrice = readAmount(input.listPrice, 'listPrice');
  if (input.cost !== undefined) change.cost = readAmount(input.cost, 'cost');
  if (input.stock !== undefined) change.stock = readStock(input.stock);
  return change;
}

/** @throws DomainError INVALID_INPUT when the text is shorter or longer, counted in UTF-16 units after trimming */
export function checkLength(text: string, path: string, { min, max }: { min: number; max: number }): void {
  const { length } = text.trim();
  if (length < min || length > max) {
    throw new DomainError('INVALID_INPUT', `${path} must have ${min} to ${max} characters, got ${length}`, {
      path,
    });
  }
}

function readCategories(categories: readonly string[]): string[] {
  if (categories.length > 50) {
    throw new DomainError('INVALID_INPUT', `at most 50 categories, got ${categories.length}`, {
      path: 'categories',
    });
  }
  categories.forEach((category, i) => checkLength(category, `categories.${i}`, { min: 1, max: 200 }));
  return [...new Set(categories)];
}

function readAmount(money: DecimalMoney | null, path: string): MinorMoney | null {
  if (!money) return null;
  const minor = readMoney(money, path);
  if (minor.amountMinor < 0)
    throw new DomainError('INVALID_MONEY', `${path} must not be negative, got ${money.amount}`, { path });
  return minor;
}

/** `toMinor` that says which field was wrong. */
export function readMoney(money: DecimalMoney, path: string): MinorMoney {
  try {
    return toMinor(money);
  } catch (error) {
    if (error instanceof DomainError) throw new DomainError(error.code, error.message, { path });
    throw error;
  }
}

function readStock(stock: number | null): number | null {
  if (stock !== null && stock < 0)
    throw new DomainError('INVALID_INPUT', `stock must not be negative, got ${stock}`, { path: 'stock' });
  return stock;
}
