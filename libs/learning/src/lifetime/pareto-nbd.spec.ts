import { describe, expect, it } from 'vitest';
import { histories, simulatedHistories } from './lifetime-data.fixture.js';
import { likelihoodGroups } from './likelihood-groups.js';
import { fitParetoNbd, paretoNbdLoss, paretoNbdProcess } from './pareto-nbd.js';

/**
 * mpmath 1.4.1 with 40 digits, from the hypergeometric form of Fader and Hardie (2005): r, α, s, β, x, tx, T, t, then
 * P(alive), log-likelihood, expected purchases.
 */
const MPMATH = [
  [
    0.5533, 10.5776, 0.6063, 11.6728, 0, 0, 38.86, 39, 0.29512191682393285, -0.5212553151024356,
    0.10707234338456219,
  ],
  [
    0.5533, 10.5776, 0.6063, 11.6728, 2, 30.43, 38.86, 39, 0.8691141169580013, -9.55423696890224,
    1.4551032944275994,
  ],
  [
    0.5533, 10.5776, 0.6063, 11.6728, 26, 30.86, 31, 39, 0.9979178853907452, -39.13059744629701,
    20.11568563507717,
  ],
  [
    0.5533, 10.5776, 0.6063, 11.6728, 26, 5, 31, 39, 1.2894904288244745e-10, -16.36107792549884,
    2.5993104718748777e-9,
  ],
  [2, 1, 0.01, 50, 3, 0.5, 20, 10, 0.02458343690497268, -8.342240721279824, 0.05849206184948882],
  [0.05, 100, 3, 0.2, 1, 1, 50, 10, 9.072592394101291e-6, -12.992747126513652, 4.856006418092876e-7],
  [0.6, 10, 0.5, 8, 500, 400, 500, 52, 3.1710552530178964e-45, -410.73157204816306, 1.5791299058794016e-43],
  [0.6, 10, 0.5, 8, 40, 10, 38, 52, 1.7002270915209407e-14, -16.514523788180213, 6.080795868743603e-13],
  [0.8, 0.01, 0.5, 1000, 4, 5, 30, 10, 0.21898842852708708, -15.778262729443304, 0.34941867572257285],
  [0.8, 1000, 0.5, 0.01, 4, 5, 30, 10, 0.3884551454821916, -28.101412620422494, 0.01680341916662112],
] as const;

describe('paretoNbdProcess', () => {
  it.each(MPMATH)('r %d, α %d, s %d, β %d, x %d, tx %d, T %d agrees with mpmath', (...row) => {
    const [r = 0, alpha = 0, s = 0, beta = 0, x = 0, recency = 0, age = 0, horizon = 0, ...wanted] = row;
    const [alive = 0, logLikelihood = 0, purchases = 0] = wanted;
    const process = paretoNbdProcess({ family: 'pareto-nbd', r, alpha, s, beta });
    const out = new Float64Array(1);
    process.purchasesWhenAlive(x, age, Float64Array.of(horizon), out);
    const measured = process.probabilityAlive(x, recency, age);
    expect(Math.abs(measured / alive - 1)).toBeLessThan(1e-11);
    expect(Math.abs((measured * (out[0] ?? 0)) / purchases - 1)).toBeLessThan(1e-11);

    const groups = likelihoodGroups(histories([x, recency, age]));
    const point = Float64Array.of(r, alpha / groups.timeScale, s, beta / groups.timeScale).map(Math.log);
    const scaled = -paretoNbdLoss(groups, point, new Float64Array(4));
    expect(scaled - x * Math.log(groups.timeScale)).toBeCloseTo(logLikelihood, 10);
  });

  it('is at ease at s = 1, where the closed form divides by 0', () => {
    const at = (s: number): number => {
      const out = new Float64Array(1);
      paretoNbdProcess({ family: 'pareto-nbd', r: 0.6, alpha: 10, s, beta: 8 }).purchasesWhenAlive(
        2,
        20,
        Float64Array.of(50),
        out,
      );
      return out[0] ?? 0;
    };
    expect(at(1)).toBeCloseTo((((0.6 + 2) * 28) / 30) * Math.log(78 / 28), 12);
    expect(at(1 + 1e-13)).toBeCloseTo(at(1), 11);
  });

  it('takes a customer who bought just now for alive', () => {
    const { probabilityAlive } = paretoNbdProcess({
      family: 'pareto-nbd',
      r: 0.6,
      alpha: 10,
      s: 0.5,
      beta: 8,
    });
    expect(probabilityAlive(4, 20, 20)).toBe(1);
    expect(probabilityAlive(0, 0, 0)).toBe(1);
    expect(probabilityAlive(4, 20, 21)).toBeGreaterThan(probabilityAlive(4, 20, 22));
  });
});

describe('paretoNbdLoss', () => {
  it('has the gradient of its value', () => {
    const groups = likelihoodGroups(
      histories([0, 0, 10], [3, 8, 9], [12, 1, 30], [1, 0.2, 40], [60, 20, 20]),
    );
    const point = Float64Array.of(-1.2, 0.3, -0.2, 0.9);
    const gradient = new Float64Array(4);
    paretoNbdLoss(groups, point, gradient);
    gradient.forEach((slope, i) => {
      const at = (step: number): number =>
        paretoNbdLoss(
          groups,
          point.map((value, j) => (i === j ? value + step : value)),
          new Float64Array(4),
        );
      expect(slope).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 5);
    });
  });
});

describe('fitParetoNbd', () => {
  it('finds the parameters of customers who behave so, as exactly as its standard errors say', () => {
    const truth = { r: 0.8, alpha: 6, s: 0.7, beta: 15 };
    const [buy, leave] = [
      { shape: truth.r, rate: truth.alpha },
      { shape: truth.s, rate: truth.beta },
    ];
    const seeds = [1, 2, 3, 4, 5, 6];
    const fits = seeds.map((seed) => fitParetoNbd(simulatedHistories(1500, { seed, age: 80, buy, leave })));
    for (const name of ['r', 'alpha', 's', 'beta'] as const) {
      const deviations = fits.map(
        ({ parameters, standardErrors }) => (parameters[name] - truth[name]) / (standardErrors[name] ?? 0),
      );
      const together = deviations.reduce((sum, z) => sum + z, 0) / Math.sqrt(seeds.length);
      expect(Math.abs(together)).toBeLessThan(3);
      expect(Math.max(...deviations.map(Math.abs))).toBeLessThan(3.5);
      expect(Math.max(...deviations.map(Math.abs))).toBeGreaterThan(0.3);
    }
  });

  it.each([
    ['nobody came back', histories([0, 0, 10], [0, 0, 20], [0, 0, 5])],
    ['one customer', histories([3, 8, 10])],
    ['all are the same', histories(...Array.from({ length: 50 }, () => [2, 5, 10]))],
    ['ages of a million periods', histories([2, 4e5, 1e6], [0, 0, 9e5], [9, 9e5, 1e6])],
    ['some are of age 0', histories([0, 0, 0], [0, 0, 30], [4, 20, 30])],
  ])('stays finite when %s', (_, sample) => {
    const { r, alpha, s, beta } = fitParetoNbd(sample).parameters;
    for (const value of [r, alpha, s, beta]) expect(value > 0 && Number.isFinite(value)).toBe(true);
  });
});
