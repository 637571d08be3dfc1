import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { willingnessToPay } from './willingness-to-pay.js';

describe('willingnessToPay', () => {
  it('reads a straight demand curve: half would pay the middle, surplus is the triangle', () => {
    const { shares, median, beyond, surplus } = willingnessToPay([
      { price: 10, units: 100 },
      { price: 15, units: 50 },
      { price: 20, units: 0 },
    ]);
    expect(shares.map(({ share }) => share)).toEqual([1, 0.5, 0]);
    expect(median).toBe(15);
    expect(beyond).toBe(0);
    expect(surplus).toBe(500);
  });

  it('does not guess beyond the curve: no median where more than half would pay its highest price', () => {
    const { median, beyond } = willingnessToPay([
      { price: 10, units: 100 },
      { price: 20, units: 80 },
    ]);
    expect(median).toBeNull();
    expect(beyond).toBe(0.8);
  });

  it('has shares in [0, 1] that never rise, whatever the falling curve', () => {
    const steps = fc.array(
      fc.tuple(fc.double({ min: 0.1, max: 9, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true })),
      {
        minLength: 2,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(steps, (drawn) => {
        let [price, units] = [0, 200];
        const curve = drawn.map(([up, down]) => ({ price: (price += up), units: (units -= down) }));
        const shares = willingnessToPay(curve).shares.map(({ share }) => share);
        expect(shares[0]).toBe(1);
        expect(shares).toEqual(shares.toSorted((a, b) => b - a));
      }),
    );
  });

  it('refuses one point, rising units, prices that do not ascend and NaN', () => {
    const refused = (...points: [number, number][]): void =>
      expect(() => willingnessToPay(points.map(([price, units]) => ({ price, units })))).toThrow(RangeError);
    refused([10, 5]);
    refused([10, 5], [11, 6]);
    refused([10, 5], [10, 4]);
    refused([10, 5], [11, Number.NaN]);
    refused([10, 0], [11, 0]);
  });
});
