import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { geometricPurchases, quadraturePurchases } from './geometric-purchases.js';

/** mpmath 1.4.1, 40 digits: r, alpha, a, b, x, T, t and E by hyp2f1 (equation 10 of Fader, Hardie and Lee 2005); a = 1 by quad. */
const MPMATH = [
  [0.2426, 4.4136, 0.7929, 2.4259, 0, 0, 52, 1.4440599948982362],
  [0.2426, 4.4136, 0.7929, 2.4259, 2, 38.86, 39, 1.6871717064496643],
  [0.2426, 4.4136, 0.7929, 2.4259, 29, 37.86, 39, 20.74662531727137],
  [0.2426, 4.4136, 0.7929, 2.4259, 0, 0.1, 520, 4.919249722466767],
  [0.5, 2, 1, 2, 3, 10, 10, 2.272078264533697],
  [0.5, 2, 1.000001, 2, 3, 10, 10, 2.27207780242428],
  [6, 40, 0.3, 0.4, 0, 5, 100, 5.293660311723111],
  [30, 40, 0.3, 0.4, 1, 5, 100, 27.3307665577592],
  [1.5, 3, 60, 900, 4, 20, 52, 8.291930143720665],
  [2, 5, 45, 200, 3, 20, 500, 5.610259722443036],
  [0.25, 4.4, 0.79, 2.43, 1500, 3000, 365, 174.11145361697243],
] as const;

describe('geometricPurchases', () => {
  it.each(MPMATH)('r %d, α %d, a %d, b %d, x %d, T %d, t %d agrees with mpmath', (...row) => {
    const [r, alpha, a, b, x, age, horizon, expected] = row;
    const out = new Float64Array(1);
    geometricPurchases({ r, alpha, a, b })(x, age, Float64Array.of(horizon), out);
    expect(Math.abs((out[0] ?? 0) / expected - 1)).toBeLessThan(1e-10);
  });

  it('holds for a horizon 2,000 times as long as what was seen', () => {
    const out = new Float64Array(1);
    geometricPurchases({ r: 0.01, alpha: 0.05, a: 0.02, b: 3 })(0, 0, Float64Array.of(104), out);
    expect(Math.abs((out[0] ?? 0) / 18.76107966905304 - 1)).toBeLessThan(1e-8);
  });

  it('series and quadrature, which share nothing, agree', () => {
    const shape = fc.record({
      r: fc.double({ min: 0.05, max: 8, noNaN: true }),
      alpha: fc.double({ min: 1, max: 60, noNaN: true }),
      a: fc.double({ min: 0.05, max: 20, noNaN: true }),
      b: fc.double({ min: 0.05, max: 40, noNaN: true }),
    });
    const horizons = Float64Array.of(0, 0.5, 10, 60);
    fc.assert(
      fc.property(shape, fc.nat(60), fc.double({ min: 0, max: 200, noNaN: true }), (parameters, x, age) => {
        const [bySeries, byNodes] = [new Float64Array(4), new Float64Array(4)];
        geometricPurchases(parameters)(x, age, horizons, bySeries);
        quadraturePurchases(parameters, 128)(x, age, horizons, byNodes);
        bySeries.forEach((value, h) => {
          expect(Math.abs(value - (byNodes[h] ?? 0))).toBeLessThan(1e-8 * Math.max(1e-3, value));
        });
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('is 0 at horizon 0, and rises with the horizon', () => {
    const out = new Float64Array(5);
    geometricPurchases({ r: 0.25, alpha: 4.4, a: 0.79, b: 2.43 })(
      3,
      20,
      Float64Array.of(0, 1e-9, 1, 1e3, 1e6),
      out,
    );
    expect(out[0]).toBe(0);
    expect(Array.from(out).every((value, h) => h === 0 || value > (out[h - 1] ?? 0))).toBe(true);
  });
});
