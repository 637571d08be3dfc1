import { describe, expect, it } from 'vitest';
import { bgNbdLoss, bgNbdProcess, fitBgNbd } from './bg-nbd.js';
import { histories, simulatedHistories } from './lifetime-data.fixture.js';
import { likelihoodGroups } from './likelihood-groups.js';

const CDNOW = { family: 'bg-nbd', r: 0.2426, alpha: 4.4136, a: 0.7929, b: 2.4259 } as const;

function expectedPurchases(x: number, recency: number, age: number, horizon: number): number {
  const process = bgNbdProcess(CDNOW);
  const out = new Float64Array(1);
  process.purchasesWhenAlive(x, age, Float64Array.of(horizon), out);
  return process.probabilityAlive(x, recency, age) * (out[0] ?? 0);
}

describe('bgNbdProcess', () => {
  it('gives the published expectation of customer 1 of CDNOW: x 2, tx 30.43, T 38.86, 39 weeks on', () => {
    // Fader, Hardie and Lee (2005), "Implementing the BG/NBD model ... in Microsoft Excel": 1.226.
    expect(expectedPurchases(2, 30.43, 38.86, 39)).toBeCloseTo(1.226, 3);
  });

  it('takes a customer without a repeat for alive, and a long silence for leaving', () => {
    const { probabilityAlive } = bgNbdProcess(CDNOW);
    expect(probabilityAlive(0, 0, 38)).toBe(1);
    expect(probabilityAlive(10, 20, 20)).toBeCloseTo(1 / (1 + 0.7929 / (2.4259 + 9)), 12);
    expect(probabilityAlive(10, 5, 38)).toBeLessThan(1e-4);
    expect(probabilityAlive(3000, 10, 3000)).toBe(0);
  });
});

describe('bgNbdLoss', () => {
  it('of one customer without a repeat is r ln(α / (α + T))', () => {
    const groups = likelihoodGroups(histories([0, 0, 10]));
    const [r, alpha] = [0.5, 2];
    const point = Float64Array.of(r, alpha / groups.timeScale, 0.8, 2.4).map(Math.log);
    expect(bgNbdLoss(groups, point, new Float64Array(4))).toBeCloseTo(
      -r * Math.log(alpha / (alpha + 10)),
      12,
    );
  });

  it('has the gradient of its value', () => {
    const groups = likelihoodGroups(
      histories([0, 0, 10], [3, 8, 9], [12, 1, 30], [1, 0.2, 40], [60, 20, 20]),
    );
    const point = Float64Array.of(-1.2, 0.3, -0.2, 0.9);
    const gradient = new Float64Array(4);
    bgNbdLoss(groups, point, gradient);
    gradient.forEach((slope, i) => {
      const at = (step: number): number =>
        bgNbdLoss(
          groups,
          point.map((value, j) => (i === j ? value + step : value)),
          new Float64Array(4),
        );
      expect(slope).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 5);
    });
  });
});

describe('fitBgNbd', () => {
  it('finds the parameters of customers who behave so', () => {
    // p = 0.2 for all means Beta(large, 4 × large); the hazard of leaving is then p × λ.
    const fitted = fitBgNbd(
      simulatedHistories(4000, {
        seed: 3,
        age: 60,
        buy: { shape: 0.8, rate: 6 },
        leave: { shape: 50, rate: 5e9 },
      }),
    );
    expect(fitted.measured['r']?.low).toBeLessThan(0.8);
    expect(fitted.measured['r']?.high).toBeGreaterThan(0.8);
    expect(fitted.measured['alpha']?.low).toBeLessThan(6);
    expect(fitted.measured['alpha']?.high).toBeGreaterThan(6);
    expect(fitted.parameters.a / (fitted.parameters.a + fitted.parameters.b)).toBeLessThan(0.01);
  });

  it.each([
    ['nobody came back', histories([0, 0, 10], [0, 0, 20], [0, 0, 5])],
    ['one customer', histories([3, 8, 10])],
    ['all are the same', histories(...Array.from({ length: 50 }, () => [2, 5, 10]))],
    ['ages of a million periods', histories([2, 4e5, 1e6], [0, 0, 9e5], [9, 9e5, 1e6])],
    ['some are of age 0', histories([0, 0, 0], [0, 0, 30], [4, 20, 30])],
  ])('stays finite when %s', (_, sample) => {
    const { parameters, logLikelihood } = fitBgNbd(sample);
    const { r, alpha, a, b } = parameters;
    for (const value of [r, alpha, a, b]) expect(value > 0 && Number.isFinite(value)).toBe(true);
    expect(Number.isFinite(logLikelihood)).toBe(true);
    const out = new Float64Array(1);
    bgNbdProcess(parameters).purchasesWhenAlive(1, 10, Float64Array.of(10), out);
    expect(out[0]).toBeGreaterThanOrEqual(0);
    expect(out[0]).toBeLessThan(1e3);
  });

  it('refuses customers of whom nothing was observed, and impossible statistics', () => {
    expect(() => fitBgNbd(histories())).toThrow('first purchase lies before the end of observation');
    expect(() => fitBgNbd(histories([0, 0, 0]))).toThrow('first purchase lies before the end of observation');
    expect(() => fitBgNbd(histories([1, 11, 10]))).toThrow(
      'row 0: frequency 1, recency 11, age 10 is impossible',
    );
    expect(() => fitBgNbd(histories([0.5, 1, 10]))).toThrow(RangeError);
    expect(() => fitBgNbd(histories([0, 3, 10]))).toThrow(RangeError);
  });

  it('gives the same result for the same data', () => {
    const sample = simulatedHistories(500, {
      seed: 1,
      age: 40,
      buy: { shape: 0.6, rate: 10 },
      leave: { shape: 0.6, rate: 12 },
    });
    expect(fitBgNbd(sample)).toEqual(fitBgNbd(sample));
  });
});
