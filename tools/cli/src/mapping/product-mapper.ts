import { type Cells, finite } from './cells.js';
import { holds } from './conditions.js';
import type { ProductMapping } from './mapping-schema.js';
import { type Row, RowError } from './row.js';
import { valueReader, type ValueReader } from './values.js';

/** A product as the graph's `ProductInput` takes it. */
export interface ProductInput {
  id: string;
  title: string;
  sku?: string;
  categories?: string[];
  listPrice?: { amount: string; currency: string };
  cost?: { amount: string; currency: string };
  stock?: number;
}

export interface ProductMapper {
  columns: readonly string[];
  /** Null when its condition does not hold. @throws RowError when the row cannot give it */
  map(row: Row): ProductInput | null;
}

export function productMapper(mapping: ProductMapping, cells: Cells): ProductMapper {
  const conditions = mapping.when ?? [];
  const { id, title, sku, stock, listPrice, cost, categories } = readersOf(mapping);
  return {
    columns: [id, title, sku, stock, listPrice?.amount, cost?.amount, ...categories]
      .flatMap((reader) => reader?.columns ?? [])
      .concat(conditions.map(({ column }) => column)),
    map(row) {
      if (!holds(row, conditions, cells)) return null;
      const text = (reader: ValueReader | null) => readText(reader, row, cells);
      const listAmount = text(listPrice?.amount ?? null);
      const costAmount = text(cost?.amount ?? null);
      const skuText = text(sku);
      const stockText = text(stock);
      return {
        id: required(text(id), 'id'),
        title: required(text(title), 'title'),
        ...(skuText === null ? {} : { sku: skuText }),
        ...(mapping.categories === undefined
          ? {}
          : { categories: categories.flatMap((reader) => readList(reader, row, cells)) }),
        ...(listPrice === null || listAmount === null
          ? {}
          : { listPrice: { amount: listAmount, currency: listPrice.currency } }),
        ...(cost === null || costAmount === null
          ? {}
          : { cost: { amount: costAmount, currency: cost.currency } }),
        ...(stockText === null ? {} : { stock: Math.trunc(finite(stockText, 'stock')) }),
      };
    },
  };
}

function readersOf(mapping: ProductMapping) {
  const { sku, stock, listPrice, cost } = mapping;
  return {
    id: valueReader(mapping.id),
    title: valueReader(mapping.title),
    sku: sku === undefined ? null : valueReader(sku),
    stock: stock === undefined ? null : valueReader(stock),
    listPrice: listPrice ? { ...listPrice, amount: valueReader(listPrice.amount) } : null,
    cost: cost ? { ...cost, amount: valueReader(cost.amount) } : null,
    categories: [mapping.categories ?? []].flat().map(valueReader),
  };
}

function readText(reader: ValueReader | null, row: Row, cells: Cells): string | null {
  const [first] = reader === null ? [] : readList(reader, row, cells);
  return first ?? null;
}

function readList(reader: ValueReader, row: Row, cells: Cells): string[] {
  const value = reader.read(row, cells);
  if (value === null) return [];
  return Array.isArray(value) ? value : [String(value)];
}

function required(text: string | null, key: string): string {
  if (text !== null && text !== '') return text;
  throw new RowError(key, `a product needs ${key}, which is missing`);
}
