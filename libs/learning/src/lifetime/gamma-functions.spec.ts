import { describe, expect, it } from 'vitest';
import { digamma, logGamma, logOnePlusExp, risingTable } from './gamma-functions.js';

/** mpmath 1.4.1 with 40 digits: z, loggamma(z), digamma(z). */
const MPMATH = [
  [1e-8, 18.42068073818021, -100000000.57721564],
  [0.2426, 1.3197854750907922, -4.358361853222514],
  [0.5, 0.5723649429247001, -1.9635100260214235],
  [1, 0, -0.5772156649015329],
  [1.5, -0.12078223763524522, 0.03648997397857652],
  [2, 0, 0.42278433509846713],
  [3.7, 1.4280723266653879, 1.1671535393615113],
  [9.99, 12.779315214350193, 2.250700372831201],
  [10, 12.801827480081469, 2.251752589066721],
  [123.456, 469.60554712992945, 4.811829323828985],
  [1e5, 1051287.7089736569, 11.512920464961896],
] as const;

describe('gamma functions', () => {
  it.each(MPMATH)('logGamma and digamma of %d agree with mpmath', (z, log, psi) => {
    expect(Math.abs(logGamma(z) - log)).toBeLessThan(5e-15 * Math.max(1, Math.abs(log)));
    expect(Math.abs(digamma(z) - psi)).toBeLessThan(5e-15 * Math.max(1, Math.abs(psi)));
  });

  it('have a pole at 0 and no value below', () => {
    expect([logGamma(0), digamma(0)]).toEqual([Infinity, -Infinity]);
    expect([logGamma(-1), digamma(-1), logGamma(Number.NaN)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it('a rising table holds differences of logGamma and digamma', () => {
    const { logs, slopes } = risingTable(0.2426, 300);
    expect([logs[0], slopes[0]]).toEqual([0, 0]);
    for (const x of [1, 7, 300]) {
      expect(logs[x]).toBeCloseTo(logGamma(0.2426 + x) - logGamma(0.2426), 10);
      expect(slopes[x]).toBeCloseTo(digamma(0.2426 + x) - digamma(0.2426), 10);
    }
  });

  it('ln(1 + e^y) neither overflows nor loses small values', () => {
    expect(logOnePlusExp(1000)).toBe(1000);
    expect(logOnePlusExp(0)).toBeCloseTo(Math.LN2, 15);
    expect(logOnePlusExp(-50)).toBeCloseTo(Math.exp(-50), 30);
    expect(logOnePlusExp(-Infinity)).toBe(0);
  });
});
