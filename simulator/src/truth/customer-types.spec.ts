import { beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../random/random-stream.js';
import { orderLines, simulateCompany } from '../simulated-company.fixture.js';
import { CUSTOMER_TYPES, drawCustomerType } from './customer-types.js';

let company: ReturnType<typeof simulateCompany>;
beforeAll(() => {
  company = simulateCompany({ customers: 2_000, products: 100, accounts: 50, days: 90, seed: 5 });
});

/** Of each type by name: how often `part` happened for one `whole`. */
function perType(part: (type: string, size: number) => number, whole: string): Record<string, number> {
  const { population } = company.simulation.company;
  const sums = CUSTOMER_TYPES.map(() => ({ part: 0, whole: 0 }));
  for (const event of company.events) {
    const customer = Number(event.customerRef?.split(':')[1] ?? 0) - 1;
    const sum = sums[population.type[customer] ?? -1];
    if (!sum || population.isBot[customer] === 1) continue;
    const units =
      event.type === 'order' ? orderLines(event).reduce((total, { quantity }) => total + quantity, 0) : 1;
    sum.part += part(event.type, units);
    sum.whole += Number(event.type === whole);
  }
  return Object.fromEntries(CUSTOMER_TYPES.map(({ name }, i) => [name, rate(sums[i])]));
}

const rate = (sum?: { part: number; whole: number }) => (sum?.part ?? 0) / (sum?.whole ?? 1);

describe('the types of customers', () => {
  it('have shares that sum to 1, and are drawn by them: business buyers among contacts only', () => {
    for (const side of [0, 1])
      expect(CUSTOMER_TYPES.reduce((sum, { share }) => sum + (share[side] ?? 0), 0)).toBeCloseTo(1, 12);
    const random = new RandomStream('types');
    const drawn = Array.from({ length: 5_000 }, () => drawCustomerType(random, true));
    CUSTOMER_TYPES.forEach(({ share }, index) => {
      expect(drawn.filter((type) => type === index).length / 5_000).toBeCloseTo(share[1], 1);
    });
    const { account, type } = company.simulation.company.population;
    const business = CUSTOMER_TYPES.findIndex(({ name }) => name === 'business buyer');
    expect(type.some((at) => at === business)).toBe(true);
    expect(type.every((at, customer) => at !== business || (account[customer] ?? -1) >= 0)).toBe(true);
  });

  it('show in what customers do', () => {
    const views = perType((type) => Number(type === 'product_view'), 'page_visit');
    expect(views['bargain hunter']).toBeGreaterThan(2 * (views['loyal regular'] ?? Infinity));
    const orders = perType((type) => Number(type === 'order'), 'product_view');
    expect(orders['browser']).toBeLessThan(0.1 * (orders['loyal regular'] ?? 0));
    const units = perType((type, size) => (type === 'order' ? size : 0), 'order');
    expect(units['business buyer']).toBeGreaterThan(3 * (units['gift buyer'] ?? Infinity));
  });

  it('leave customers of one type different from each other', () => {
    const { activity, type } = company.simulation.company.population;
    const ofFirst = Array.from(activity).filter((value, customer) => type[customer] === 0 && value > 0);
    const logs = ofFirst.map(Math.log);
    const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
    const spread = Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logs.length);
    expect(spread).toBeGreaterThan(0.45);
  });
});
