import { CURRENCY, DAY_MS, euros } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import type { ProductTruth } from '../truth/products.js';
import type { Company } from './company.js';

const DISCOUNTS = [0.1, 0.15, 0.2, 0.25, 0.3] as const;

/** The prices in force today, integer cents, shape [products]. */
export class PriceBoard {
  readonly current: Int32Array;
  readonly list: Int32Array;
  /** First list price: what demand is measured against. */
  readonly reference: Int32Array;

  constructor(products: readonly ProductTruth[]) {
    this.reference = Int32Array.from(products, (product) => product.listPriceMinor);
    this.list = this.reference.slice();
    this.current = this.reference.slice();
  }
}

/**
 * Sets each product's price once a week, on the product's own weekday. Independently of demand (so that elasticity can be
 * learned from it): a promotion in 15 of 100 weeks, a random price test within ±12 % in 8, a lasting change of the list
 * price in 2, the list price otherwise. A change holds from the first instant of its day.
 */
export class Pricing {
  private readonly random: RandomStream;

  constructor(private readonly company: Company) {
    this.random = new RandomStream(`${company.plan.seed}/prices`);
  }

  openDay(day: number): void {
    const { assortment, prices } = this.company;
    assortment.products.forEach((product, index) => {
      const age = day - product.launchDay;
      if (age === 0) this.announce(index, day);
      if (age <= 0 || (day + index) % 7 !== 0) return;
      const next = this.nextPrice(index);
      if (next === prices.current[index]) return;
      prices.current[index] = next;
      this.announce(index, day);
    });
  }

  private nextPrice(index: number): number {
    const { prices } = this.company;
    const draw = this.random.next();
    const list = prices.list[index] ?? 0;
    if (draw < 0.15) return Math.max(1, Math.round(list * (1 - this.random.pick(DISCOUNTS))));
    if (draw < 0.23) return Math.max(1, Math.round(list * this.random.between(0.88, 1.12)));
    if (draw < 0.25) prices.list[index] = Math.max(1, Math.round(list * this.random.between(0.93, 1.1)));
    return prices.list[index] ?? list;
  }

  private announce(index: number, day: number): void {
    const { assortment, calendar, prices, startMs } = this.company;
    const productId = assortment.products[index]?.id;
    const price = euros(prices.current[index] ?? 0);
    calendar.add(startMs + day * DAY_MS, 'price_change', null, { productId, price, currency: CURRENCY });
  }
}
