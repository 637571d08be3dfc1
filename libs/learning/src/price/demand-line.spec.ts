import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demandLine, type PriceResponse } from './demand-line.js';

const response: PriceResponse = {
  basis: 'observed',
  elasticity: { a: -2 },
  otherElasticity: -1,
  reference: { a: [10, 20] },
};

describe('demandLine', () => {
  it('is the model itself where there is no response, each price asked once', () => {
    const line = demandLine(undefined, 'a', [3, 5, 3]);
    expect(line.asked).toEqual([3, 5]);
    expect(line.logUnitsAt([1.5, 1.2], 5)).toBe(1.2);
    expect(line.nearest(4.5)).toBe(1);
  });

  it('runs through the middle of the levels at the usual prices, worked by hand', () => {
    const line = demandLine(response, 'a', [12, 15]);
    expect(line.asked).toEqual([10, 20]);
    // the middle: ln √200, level 3; at 10 it is 3 + 2 · ln(√200 / 10) = 3 + ln 2
    expect(line.logUnitsAt([3.5, 2.5], 10)).toBeCloseTo(3 + Math.LN2, 12);
    expect(line.logUnitsAt([3.5, 2.5], Math.sqrt(200))).toBeCloseTo(3, 12);
  });

  it('asks a price once that is usual twice, and lets it weigh twice', () => {
    const line = demandLine({ ...response, reference: { a: [10, 10, 20] } }, 'a', [12]);
    expect(line.asked).toEqual([10, 20]);
    const centre = Math.cbrt(10 * 10 * 20);
    expect(line.logUnitsAt([3, 6], centre)).toBeCloseTo(4, 12);
  });

  it('takes the first price as usual for a product that training did not hold', () => {
    const line = demandLine(response, 'new', [8, 16]);
    expect(line.asked).toEqual([8]);
    expect(line.logUnitsAt([2], 16)).toBeCloseTo(2 - Math.LN2, 12);
  });

  it('never rises with the price, whatever the levels', () => {
    const level = fc.double({ min: -5, max: 5, noNaN: true });
    const price = fc.double({ min: 0.01, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(level, level, price, price, (a, b, one, other) => {
        const line = demandLine(response, 'a', [one]);
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(line.logUnitsAt([a, b], high)).toBeLessThanOrEqual(line.logUnitsAt([a, b], low));
      }),
    );
  });
});
