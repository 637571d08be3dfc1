import type { Measured } from '@sextant/artefacts';
import {
  type ColumnTable,
  type DemandRow,
  demandTable,
  numericView,
  PRICE_COLUMN,
  PRODUCT_COLUMN,
} from '@sextant/learning';

const FEW_PRICES = 4;
const CONFOUNDED = 0.3;
const MAX_CATEGORIES = 20;

/** What about the prices in the data makes elasticities doubtful; one sentence each. */
export function priceWarnings(rows: readonly DemandRow[], elasticity: Record<string, Measured>): string[] {
  const prices = new Map<string, Set<number>>();
  for (const { product, price } of rows) prices.set(product, (prices.get(product) ?? new Set()).add(price));
  const counts = [...prices.values()].map(({ size }) => size);
  const fixed = counts.filter((size) => size < 2).length;
  const few = counts.filter((size) => size >= 2 && size < FEW_PRICES).length;
  const rising = Object.entries(elasticity).filter(
    ([product, { value }]) => value >= 0 && (prices.get(product)?.size ?? 0) > 1,
  ).length;
  return [
    ...(fixed > 0 && fixed === counts.length
      ? ['no product was ever seen at a second price: nothing can be learnt of what a moved price does.']
      : []),
    ...(fixed > 0 && fixed < counts.length
      ? [
          `${fixed} of ${counts.length} products were seen at one price only: their elasticity is that of the others.`,
        ]
      : []),
    ...(few > 0
      ? [
          `${few} of ${counts.length} products were seen at two or three prices only: a curve between them is assumed, not seen.`,
        ]
      : []),
    ...(rising > 0
      ? [
          `${rising} of ${counts.length} products sold more at higher prices: their quotes go to the highest price allowed.`,
        ]
      : []),
    ...confoundedContext(rows).map(
      ({ name, correlation }) =>
        `"${name}" moves with the price (correlation ${correlation.toFixed(2)} within products): its effect and the price's are told apart by the model's form alone; the elasticity as observed holds both.`,
    ),
  ];
}

/** Context that is correlated with the log price within products beyond 0.3, e.g. promotions that come with price cuts. */
function confoundedContext(rows: readonly DemandRow[]): { name: string; correlation: number }[] {
  const table = demandTable(rows);
  const logPrice = within(
    Float64Array.from(rows, ({ price }) => Math.log(price)),
    rows,
  );
  return indicators(table)
    .map(({ name, values }) => ({ name, correlation: correlation(within(values, rows), logPrice) }))
    .filter((found) => Math.abs(found.correlation) >= CONFOUNDED);
}

/** Numeric columns as they are, each text of a short list as 0 and 1; missing cells count as the mean. */
function indicators(table: ColumnTable): { name: string; values: Float64Array }[] {
  return table.columns.flatMap((column) => {
    if (column.name === PRICE_COLUMN || column.name === PRODUCT_COLUMN || isHistory(column.name)) return [];
    if (column.kind === 'numeric') return [{ name: column.name, values: numericView(column) }];
    if (column.dictionary.length > MAX_CATEGORIES) return [];
    return column.dictionary.map((text, code) => ({
      name: `${column.name} = ${text}`,
      values: Float64Array.from(column.codes, (each) => (each < 0 ? Number.NaN : Number(each === code))),
    }));
  });
}

/** Columns of the past follow the price because prices stay: that is no confounding. */
function isHistory(name: string): boolean {
  return /last/.test(name) && /units|price|periods/.test(name);
}

function within(values: Float64Array, rows: readonly DemandRow[]): Float64Array {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    const product = rows[i]?.product ?? '';
    const found = sums.get(product) ?? { sum: 0, count: 0 };
    sums.set(product, { sum: found.sum + value, count: found.count + 1 });
  }
  return values.map((value, i) => {
    const found = sums.get(rows[i]?.product ?? '');
    return Number.isNaN(value) || !found ? 0 : value - found.sum / found.count;
  });
}

function correlation(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    ab += value * other;
    aa += value * value;
    bb += other * other;
  }
  return aa > 1e-12 && bb > 1e-12 ? ab / Math.sqrt(aa * bb) : 0;
}
