import { CURRENCY, DAY_MS, euros } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import { CATEGORIES } from '../truth/categories.js';
import { type CustomerType, customerTypeAt } from '../truth/customer-types.js';
import { categoryOf, orderProbability, styleMatch } from '../truth/propensities.js';
import type { ProductTruth } from '../truth/products.js';
import { type Company, isPresent } from './company.js';
import { isPutOff } from './retention.js';
import { drawShopTime, shopSeason } from './season.js';

const CANDIDATES = 4;
const REFILL_AFTER_DAYS = 12;

/** ln of the first list price over the middle of the category's usual range. */
function dearnessOf({ category, listPriceMinor }: ProductTruth): number {
  const [low, high] = CATEGORIES[category]?.prices ?? [1, 1];
  return Math.log(listPriceMinor / 100) - (Math.log(low) + Math.log(high)) / 2;
}

function deviceOf({ devices }: CustomerType, at: number): string {
  return devices[at % devices.length] ?? 'mobile';
}

/** How a session came about. */
export interface SessionStart {
  atMs: number;
  channel?: string;
  /** Category that the customer was led to. */
  category?: number;
}

interface View {
  product: number;
  isRefill: boolean;
}

/** Visits, product views and orders. A session stays inside its day, so that one price list holds for it. */
export class Shopping {
  private readonly random: RandomStream;

  constructor(
    private readonly company: Company,
    private readonly sessionsPerActivity: number,
  ) {
    this.random = new RandomStream(`${company.plan.seed}/shopping`);
  }

  openDay(day: number): void {
    const { plan, population, startMs } = this.company;
    const dayStart = startMs + day * DAY_MS;
    const rate = this.sessionsPerActivity * shopSeason(dayStart);
    for (let customer = 0; customer < plan.customers; customer++) {
      if (!isPresent(this.company, customer, day)) continue;
      const sessions = this.random.poisson(rate * (population.activity[customer] ?? 0));
      for (let i = 0; i < sessions; i++)
        this.visit(customer, day, { atMs: dayStart + drawShopTime(this.random) });
    }
  }

  visit(customer: number, day: number, { atMs, channel, category }: SessionStart): void {
    const { calendar, population, startMs } = this.company;
    const isBot = population.isBot[customer] === 1;
    const type = customerTypeAt(population.type[customer] ?? 0);
    const lastMs = startMs + (day + 1) * DAY_MS - 1;
    const at = (offset: number) => Math.min(lastMs, atMs + offset);
    const views = this.chooseViews(customer, day, {
      category,
      count: isBot ? 10 + this.random.below(31) : this.drawDepth(type),
    });
    const pause = isBot ? 900 : 1000 * type.pace * this.random.between(12, 90);
    calendar.add(atMs, 'page_visit', customer, {
      channel: channel ?? this.random.pick(type.channels),
      device: isBot ? 'desktop' : deviceOf(type, customer + this.random.below(2)),
      durationSeconds: Math.round((pause * (views.length + this.random.next())) / 1000),
    });
    views.forEach(({ product }, i) => this.view(customer, product, at(Math.round(pause * (i + 0.3)))));
    if (views.length > 0)
      this.order(customer, day, { views, atMs: at(Math.round(pause * (views.length + 0.5))) });
  }

  /** One in six sessions bounces; the others look at 1 + geometric many products. */
  private drawDepth({ goOn }: CustomerType): number {
    if (this.random.happens(0.17)) return 0;
    let depth = 1;
    while (depth < 25 && this.random.happens(goOn)) depth++;
    return depth;
  }

  private chooseViews(
    customer: number,
    day: number,
    wanted: { category: number | undefined; count: number },
  ): View[] {
    const views: View[] = [];
    const refill = this.company.memory.refillProduct[customer] ?? -1;
    const age = day - (this.company.memory.refillDay[customer] ?? 0);
    if (wanted.count > 0 && refill >= 0 && age >= REFILL_AFTER_DAYS && this.random.happens(0.4)) {
      views.push({ product: refill, isRefill: true });
    }
    let category = wanted.category ?? categoryOf(this.company.population, customer, this.random.next());
    while (views.length < wanted.count) {
      const product = this.chooseProduct(customer, day, category);
      if (product === null) break;
      views.push({ product, isRefill: false });
      if (this.random.happens(0.45))
        category = categoryOf(this.company.population, customer, this.random.next());
    }
    return views;
  }

  /** A few products by popularity, and among them one by taste; null when none of the draws is on sale yet. */
  private chooseProduct(customer: number, day: number, category: number): number | null {
    const { assortment, population } = this.company;
    const { dearness } = customerTypeAt(population.type[customer] ?? 0);
    const entry = assortment.byCategory[category];
    if (!entry) return null;
    let best: number | null = null;
    let bestScore = -Infinity;
    for (let i = 0; i < CANDIDATES; i++) {
      const index = entry.members[entry.draw.draw(this.random)] ?? 0;
      const product = assortment.products[index];
      if (!product || product.launchDay > day) continue;
      const gumbel = -Math.log(-Math.log(1 - this.random.next()) + 1e-12);
      const score = 1.8 * styleMatch(population, customer, product) + dearness * dearnessOf(product) + gumbel;
      if (score > bestScore) [best, bestScore] = [index, score];
    }
    return best;
  }

  private view(customer: number, product: number, atMs: number): void {
    const { assortment, calendar, memory, prices, startMs } = this.company;
    const productId = assortment.products[product]?.id;
    calendar.add(atMs, 'product_view', customer, {
      productId,
      price: euros(prices.current[product] ?? 0),
      currency: CURRENCY,
    });
    memory.views.add(customer, (atMs - startMs) / DAY_MS);
  }

  private order(
    customer: number,
    day: number,
    { views, atMs }: { views: readonly View[]; atMs: number },
  ): void {
    const { assortment, calendar, memory, population, prices } = this.company;
    const { bulk } = customerTypeAt(population.type[customer] ?? 0);
    const lines = new Map<number, { productId: string; quantity: number; unitPrice: string }>();
    for (const { product, isRefill } of views) {
      const truth = assortment.products[product];
      if (!truth || lines.has(product)) continue;
      const relativePrice = (prices.current[product] ?? 1) / (prices.reference[product] ?? 1);
      if (
        !this.random.happens(
          orderProbability(population, customer, { product: truth, relativePrice, isRefill }),
        )
      )
        continue;
      const consumable = CATEGORIES[truth.category]?.consumable ?? false;
      const quantity =
        1 +
        this.random.poisson(bulk) +
        (consumable ? this.random.poisson(0.6) : Number(this.random.happens(0.05)));
      lines.set(product, { productId: truth.id, quantity, unitPrice: euros(prices.current[product] ?? 0) });
      if (!consumable) continue;
      memory.refillProduct[customer] = product;
      memory.refillDay[customer] = day;
    }
    if (lines.size === 0) return;
    const count = (memory.orders[customer] = (memory.orders[customer] ?? 0) + 1);
    memory.lastOrderDay[customer] = day;
    if (isPutOff(this.company, customer, day)) return;
    memory.placeOrder(customer, day);
    calendar.add(atMs, 'order', customer, {
      orderId: `o-${customer + 1}-${count}`,
      currency: CURRENCY,
      lines: [...lines.values()],
    });
  }
}
