import { describe, expect, it } from 'vitest';
import { randomInteger, randomNormal, randomPermutation, seededRandom } from './seeded-random.js';

const draws = (n: number, draw: () => number): number[] => Array.from({ length: n }, draw);
const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

describe('seededRandom', () => {
  it('repeats its sequence for a seed and differs between seeds', () => {
    expect(draws(50, seededRandom(7))).toEqual(draws(50, seededRandom(7)));
    expect(draws(50, seededRandom(7))).not.toEqual(draws(50, seededRandom(8)));
  });

  it('stays in [0, 1) with the mean and variance of a uniform', () => {
    const values = draws(20_000, seededRandom(1));
    expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
    expect(mean(values)).toBeCloseTo(0.5, 2);
    expect(mean(values.map((v) => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
  });

  it('fills every residue of randomInteger about equally', () => {
    const random = seededRandom(3);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) {
      const k = randomInteger(random, 5);
      counts[k] = (counts[k] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it('draws normals with mean 0 and variance 1', () => {
    const random = seededRandom(11);
    const values = draws(20_000, () => randomNormal(random));
    expect(Math.abs(mean(values))).toBeLessThan(0.03);
    expect(mean(values.map((v) => v * v))).toBeCloseTo(1, 1);
  });

  it('permutes: every number once', () => {
    expect([...randomPermutation(seededRandom(5), 100)].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect([...randomPermutation(seededRandom(5), 0)]).toEqual([]);
  });
});
