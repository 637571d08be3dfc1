import { describe, expect, it } from 'vitest';
import { AliasTable } from './alias-table.js';
import { RandomStream } from './random-stream.js';

const N = 20_000;
const draw = (count: number, next: () => number) => Array.from({ length: count }, next);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]) => {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
};

describe('RandomStream', () => {
  it('repeats itself for the same label and differs for another', () => {
    const take = (label: string) => {
      const random = new RandomStream(label);
      return draw(5, () => random.next());
    };
    expect(take('a')).toEqual(take('a'));
    expect(take('a')).not.toEqual(take('b'));
  });

  it('draws uniform, normal, exponential and Poisson numbers with the right first two moments', () => {
    const random = new RandomStream('moments');
    const uniform = draw(N, () => random.next());
    const normal = draw(N, () => random.normal(2, 3));
    const exponential = draw(N, () => random.exponential(4));
    const poisson = draw(N, () => random.poisson(2.5));
    expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true);
    // Tolerances are four standard errors or more.
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(variance(uniform)).toBeCloseTo(1 / 12, 2);
    expect(Math.abs(mean(normal) - 2)).toBeLessThan(0.085);
    expect(Math.abs(variance(normal) - 9)).toBeLessThan(0.4);
    expect(Math.abs(mean(exponential) - 4)).toBeLessThan(0.12);
    expect(Math.abs(mean(poisson) - 2.5)).toBeLessThan(0.05);
    expect(Math.abs(variance(poisson) - 2.5)).toBeLessThan(0.12);
  });

  it('draws large Poisson counts around their mean and none for a mean of 0', () => {
    const random = new RandomStream('poisson');
    expect(Math.abs(mean(draw(N, () => random.poisson(200))) - 200)).toBeLessThan(0.5);
    expect(random.poisson(0)).toBe(0);
  });

  it('refuses to pick from nothing', () => {
    expect(() => new RandomStream('empty').pick([])).toThrow(RangeError);
  });
});

describe('AliasTable', () => {
  it('draws each index in proportion to its weight, and never one of weight 0', () => {
    const random = new RandomStream('alias');
    const weights = [1, 0, 7, 2];
    const table = new AliasTable(weights);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < N; i++) {
      const index = table.draw(random);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    counts.forEach((count, index) =>
      expect(Math.abs(count / N - (weights[index] ?? 0) / 10)).toBeLessThan(0.015),
    );
  });

  it.each([[[]], [[0, 0]], [[1, -1]], [[Number.NaN]]])('refuses the weights %j', (weights) => {
    expect(() => new AliasTable(weights)).toThrow(RangeError);
  });
});
