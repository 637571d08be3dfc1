import { describe, expect, it } from 'vitest';
import { expectedSpend, fitGammaGamma } from './gamma-gamma.js';
import { histories } from './lifetime-data.fixture.js';

const CDNOW = { p: 6.25, q: 3.74, v: 15.44 };

describe('expectedSpend', () => {
  it('weighs the customer against all, as worked by hand', () => {
    // 6.25 × (15.44 + 2 × 22.35) / (6.25 × 2 + 3.74 − 1) = 375.875 / 15.24
    expect(expectedSpend(CDNOW, 2, 22.35)).toBeCloseTo(24.663714, 5);
    expect(expectedSpend(CDNOW, 1e7, 22.35)).toBeCloseTo(22.35, 4);
  });

  it('is the mean of all for a customer whose spending is not known', () => {
    const mean = (6.25 * 15.44) / 2.74;
    expect(expectedSpend(CDNOW, 0, Number.NaN)).toBe(mean);
    expect(expectedSpend(CDNOW, 3, Number.NaN)).toBe(mean);
    expect(expectedSpend(CDNOW, 3, 0)).toBe(mean);
  });
});

describe('fitGammaGamma', () => {
  it('does not depend on the currency', () => {
    const rows = Array.from({ length: 200 }, (_, i) => [1 + (i % 5), 1, 2, 10 + ((i * 37) % 91)]);
    const euro = fitGammaGamma(histories(...rows));
    const cent = fitGammaGamma(
      histories(...rows.map(([x = 0, tx = 0, t = 0, m = 0]) => [x, tx, t, 100 * m])),
    );
    expect(cent.parameters.p).toBeCloseTo(euro.parameters.p, 6);
    expect(cent.parameters.v / 100 / euro.parameters.v).toBeCloseTo(1, 6);
    expect((cent.standardErrors['q'] ?? 0) / (euro.standardErrors['q'] ?? 0)).toBeCloseTo(1, 4);
  });

  it('leaves out customers without a repeat or without a positive value', () => {
    const rows = [
      [2, 1, 2, 30],
      [1, 1, 2, 50],
      [4, 1, 2, 20],
      [3, 1, 2, 90],
    ];
    const fitted = fitGammaGamma(histories(...rows, [0, 0, 2], [2, 1, 2, 0], [1, 1, 2, Number.NaN]));
    expect(fitted.customers).toBe(4);
    expect(fitted.parameters).toEqual(fitGammaGamma(histories(...rows)).parameters);
  });

  it('stays finite when all spend the same, and names independence of frequency and value', () => {
    const same = fitGammaGamma(histories(...Array.from({ length: 30 }, (_, i) => [1 + (i % 3), 1, 2, 25])));
    expect(Object.values(same.parameters).every((value) => value > 0 && Number.isFinite(value))).toBe(true);
    expect(expectedSpend(same.parameters, 2, 25)).toBeCloseTo(25, 1);
    expect(same.correlation).toBe(0);
    const rising = fitGammaGamma(
      histories(...Array.from({ length: 30 }, (_, i) => [1 + i, 1, 2, 25 * (1 + i)])),
    );
    expect(rising.correlation).toBeCloseTo(1, 12);
  });

  it('refuses fewer than two customers with a value', () => {
    expect(() => fitGammaGamma(histories([1, 1, 2, 10], [0, 0, 3]))).toThrow(
      'at least 2 customers with a repeat purchase of positive value, got 1',
    );
  });

  it('of all purchases looks at the first too, and at customers with only that one', () => {
    const rows = [
      [2, 1, 2, 30, 28],
      [1, 1, 2, 50, 40],
      [0, 0, 2, Number.NaN, 70],
      [3, 1, 2, 90, 80],
    ];
    const all = fitGammaGamma(histories(...rows), 'all');
    const shifted = fitGammaGamma(
      histories(...rows.map(([x = 0, tx = 0, t = 0, , m = 0]) => [x + 1, tx, t, m])),
    );
    expect([all.basis, all.customers]).toEqual(['all', 4]);
    expect(all.parameters).toEqual(shifted.parameters);
  });
});
