import { beforeAll, describe, expect, it } from 'vitest';
import { orderLines, simulateCompany } from '../simulated-company.fixture.js';
import { CATEGORIES } from './categories.js';
import { leadProbability, orderProbability } from './propensities.js';

let company: ReturnType<typeof simulateCompany>;
beforeAll(() => {
  company = simulateCompany({
    customers: 4_000,
    products: 200,
    accounts: 100,
    days: 120,
    seed: 11,
    eventsPerCustomer: 40,
  });
});

const rate = (hits: readonly boolean[]) => hits.filter(Boolean).length / hits.length;

describe('leadProbability', () => {
  it('is what leads are really won with: each third of them is won as often as it says', () => {
    const sorted = company.leads.toSorted((a, b) => a.probability - b.probability);
    expect(sorted.length).toBeGreaterThan(500);
    const thirds = [0, 1, 2].map((third) =>
      sorted.slice((third * sorted.length) / 3, ((third + 1) * sorted.length) / 3),
    );
    for (const third of thirds) {
      const expected = third.reduce((sum, { probability }) => sum + probability, 0) / third.length;
      const error = Math.sqrt((expected * (1 - expected)) / third.length);
      expect(Math.abs(rate(third.map(({ won }) => won)) - expected)).toBeLessThan(4 * error);
    }
    const [low, , high] = thirds.map((third) => rate(third.map(({ won }) => won)));
    expect(high).toBeGreaterThan(3 * (low ?? 1));
  });

  it('rises with the behaviour before the form', () => {
    const form = { messageLength: 100, requestedDemo: true, phoneGiven: false, freeMail: false };
    const context = {
      recentViews: 0,
      recentClicks: 0,
      orders: 0,
      employees: 100,
      readiness: 0,
      leadQuality: 0,
    };
    expect(leadProbability(form, { ...context, recentViews: 20 })).toBeGreaterThan(
      1.5 * leadProbability(form, context),
    );
    expect(leadProbability({ ...form, jobTitle: 'student' }, context)).toBeLessThan(
      leadProbability({ ...form, jobTitle: 'owner' }, context),
    );
  });
});

describe('orderProbability', () => {
  it('falls with the price by the elasticity of the product times the sensitivity of the customer', () => {
    const { population, assortment } = company.simulation.company;
    const product = assortment.products[0];
    if (!product) throw new Error('the company has no product');
    const at = (relativePrice: number) =>
      orderProbability(population, 0, { product, relativePrice, isRefill: false });
    const slope = Math.log(at(1.1) / at(1)) / Math.log(1.1);
    expect(slope).toBeCloseTo(product.elasticity * (population.priceSensitivity[0] ?? 0), 6);
  });

  it('makes customers who convert more really buy more of what they view', () => {
    const { population } = company.simulation.company;
    const views = new Map<string, number>();
    const orders = new Map<string, number>();
    for (const event of company.events) {
      const ref = event.customerRef ?? '';
      if (event.type === 'product_view') views.set(ref, (views.get(ref) ?? 0) + 1);
      if (event.type === 'order') orders.set(ref, (orders.get(ref) ?? 0) + orderLines(event).length);
    }
    const buyRate = (wanted: (conversion: number) => boolean) => {
      const refs = Array.from(population.conversion, (conversion, i) => ({
        conversion,
        ref: `shop:${i + 1}`,
      }))
        .filter(({ conversion }) => wanted(conversion))
        .map(({ ref }) => ref);
      const sum = (counts: Map<string, number>) =>
        refs.reduce((total, ref) => total + (counts.get(ref) ?? 0), 0);
      return sum(orders) / sum(views);
    };
    expect(buyRate((conversion) => conversion > 1.3)).toBeGreaterThan(
      2 * buyRate((conversion) => conversion < 0.7),
    );
    expect(buyRate((conversion) => conversion === 0)).toBe(0);
  });

  it('can be learned from the data: the slope of ln(sales a view) over ln(price) is near the true mean elasticity', () => {
    const { assortment, prices } = company.simulation.company;
    const index = new Map(assortment.products.map(({ id }, i) => [id, i]));
    const logPrice = (id: string, price: string) =>
      Math.log((100 * Number(price)) / (prices.reference[index.get(id) ?? -1] ?? Number.NaN));
    const cells = new Map<number, { views: number; sales: number }>();
    const cell = (x: number) => {
      const key = Math.round(x * 20);
      const found = cells.get(key) ?? { views: 0, sales: 0 };
      cells.set(key, found);
      return found;
    };
    for (const event of company.events) {
      const { productId, price } = event.properties;
      if (event.type === 'product_view') cell(logPrice(String(productId), String(price))).views++;
      if (event.type !== 'order') continue;
      for (const line of orderLines(event)) cell(logPrice(line.productId, line.unitPrice)).sales++;
    }
    const points = [...cells]
      .filter(([, { sales }]) => sales > 30)
      .map(([key, { views, sales }]) => ({ x: key / 20, y: Math.log(sales / views), w: sales }));
    const weight = points.reduce((sum, { w }) => sum + w, 0);
    const meanOf = (read: (point: (typeof points)[number]) => number) =>
      points.reduce((sum, point) => sum + point.w * read(point), 0) / weight;
    const [x, y] = [meanOf((p) => p.x), meanOf((p) => p.y)];
    const slope = meanOf((p) => (p.x - x) * (p.y - y)) / meanOf((p) => (p.x - x) ** 2);
    const truth =
      CATEGORIES.reduce((sum, { elasticity, weight: w }) => sum + elasticity * w, 0) /
      CATEGORIES.reduce((sum, { weight: w }) => sum + w, 0);
    expect(Math.abs(slope - truth)).toBeLessThan(0.6);
  });
});
