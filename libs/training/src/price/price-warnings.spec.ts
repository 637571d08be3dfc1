import type { DemandRow } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { priceWarnings } from './price-warnings.js';

const row = (product: string, price: number): DemandRow => ({
  product,
  price,
  units: 3,
  at: new Date(0),
  context: {},
});
const risen = { value: 0.1, low: -0.5, high: 0.7, level: 0.95 };

describe('priceWarnings', () => {
  it('says that nothing is to be learnt where no price ever moved', () => {
    const warnings = priceWarnings([row('a', 5), row('a', 5), row('b', 7)], { a: risen, b: risen });
    expect(warnings).toEqual([
      'no product was ever seen at a second price: nothing can be learnt of what a moved price does.',
    ]);
  });

  it('counts as rising only products that were seen at two prices', () => {
    const warnings = priceWarnings([row('a', 5), row('b', 7), row('b', 8)], { a: risen, b: risen });
    expect(warnings[0]).toContain('1 of 2 products were seen at one price only');
    expect(warnings).toContainEqual(expect.stringContaining('1 of 2 products sold more at higher prices'));
  });
});
