import { calendarContext, type DemandContext } from './calendar-context.js';
import { DAY_MS } from './decayed-counter.js';
import { isScalar, numberOf, orderLinesOf, type StoredEvent, textOf } from './stored-event.js';

/** Units sold at a price: what a price model learns from. */
export interface DemandObservation {
  product: string;
  /** major units; mean over what was paid, else the price in force */
  price: number;
  units: number;
  /** start of the day in UTC; the event's own time for an observed sale */
  at: Date;
  context: DemandContext;
}

/** Event types that say something about prices or demand. */
export const DEMAND_EVENT_TYPES = ['order', 'product_view', 'price_change', 'sale_observed'] as const;

interface DayOfProduct {
  units: number;
  /** price times units over the lines that carry a price, and their units */
  paid: number;
  paidUnits: number;
  /** price last seen that day, and when */
  seen: number | null;
  seenAt: number;
}

/**
 * Adds events up to one row a product and day. Memory grows with products × days, never with events; the order of the
 * events does not matter.
 */
export class DemandLedger {
  private readonly days = new Map<string, Map<number, DayOfProduct>>();
  private readonly observed: DemandObservation[] = [];

  /** Takes events of any type and ignores those without a meaning here. */
  add(event: StoredEvent): void {
    if (event.type === 'sale_observed') return this.addObserved(event);
    if (event.type === 'order') {
      for (const { productId, quantity, unitPrice } of orderLinesOf(event)) {
        const day = this.dayOf(productId, event.at);
        day.units += quantity;
        if (unitPrice === null || unitPrice <= 0) continue;
        day.paid += unitPrice * quantity;
        day.paidUnits += quantity;
      }
      return;
    }
    if (event.type !== 'product_view' && event.type !== 'price_change') return;
    const product = textOf(event.properties['productId']);
    if (product === null) return;
    const day = this.dayOf(product, event.at);
    const price = numberOf(event.properties['price']);
    const at = event.at.getTime();
    if (price === null || price <= 0 || at < day.seenAt) return;
    day.seen = price;
    day.seenAt = at;
  }

  /**
   * Observed sales as they are; then for each product every day between its first and its last appearance on which a
   * price is known: paid that day, else seen that day, else carried forward. Days without an order count 0 units.
   */
  observations(): DemandObservation[] {
    const rows = [...this.observed];
    for (const [product, days] of [...this.days].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      rows.push(...rowsOf(product, days));
    }
    return rows;
  }

  private addObserved(event: StoredEvent): void {
    const { productId, units, price, ...rest } = event.properties;
    const product = textOf(productId);
    const [sold, at] = [numberOf(units), numberOf(price)];
    if (product === null || sold === null || at === null || at <= 0 || sold < 0) return;
    const context: DemandContext = {};
    for (const [name, value] of Object.entries(rest)) {
      if (isScalar(value)) context[name] = typeof value === 'boolean' ? Number(value) : value;
    }
    this.observed.push({ product, price: at, units: sold, at: event.at, context });
  }

  private dayOf(product: string, at: Date): DayOfProduct {
    const key = Math.floor(at.getTime() / DAY_MS);
    let days = this.days.get(product);
    if (!days) this.days.set(product, (days = new Map()));
    let day = days.get(key);
    if (!day) days.set(key, (day = { units: 0, paid: 0, paidUnits: 0, seen: null, seenAt: -Infinity }));
    return day;
  }
}

function rowsOf(product: string, days: ReadonlyMap<number, DayOfProduct>): DemandObservation[] {
  const keys = [...days.keys()].toSorted((a, b) => a - b);
  const [first, last] = [keys[0] ?? 0, keys.at(-1) ?? -1];
  const rows: DemandObservation[] = [];
  let price: number | null = null;
  for (let key = first; key <= last; key++) {
    const day = days.get(key);
    const inForce: number | null = day && day.paidUnits > 0 ? meanPaid(day) : (day?.seen ?? price);
    if (inForce !== null) {
      const at = new Date(key * DAY_MS);
      rows.push({ product, price: inForce, units: day?.units ?? 0, at, context: calendarContext(at) });
    }
    price = day?.seen ?? inForce;
  }
  return rows;
}

/** Without the traces of binary fractions: 3 × 46.99 / 3 is 46.99, so that days of one price have one price. */
function meanPaid({ paid, paidUnits }: DayOfProduct): number {
  return Number((paid / paidUnits).toPrecision(12));
}
