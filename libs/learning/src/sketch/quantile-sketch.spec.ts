import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { compareStreams, QuantileSketch } from './quantile-sketch.js';

const sketchOf = (values: Iterable<number>): QuantileSketch => {
  const sketch = new QuantileSketch();
  for (const value of values) sketch.add(value);
  return sketch;
};
const normals = (seed: number, rows: number, shift = 0): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, () => randomNormal(random) + shift);
};

describe('QuantileSketch', () => {
  it('gives every quantile within 1 % of the number itself', () => {
    const values = normals(1, 5001).map((z) => Math.exp(3 * z));
    const sketch = sketchOf(values);
    const sorted = values.toSorted((a, b) => a - b);
    for (const q of [0, 0.01, 0.5, 0.9, 0.999, 1]) {
      const exact = sorted[Math.round(q * 5000)] ?? 0;
      expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(0.0101 * exact);
    }
  });

  it('merges exactly in any order', () => {
    const numbers = fc.array(fc.double(), { maxLength: 40 });
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const one = sketchOf([...a, ...b]);
        const merged = sketchOf(b).merge(sketchOf(a));
        expect(merged.entries()).toEqual(one.entries());
        expect([merged.count, merged.missing]).toEqual([one.count, one.missing]);
      }),
    );
  });

  it('takes numbers of any size, of both signs, zero and missing ones', () => {
    const sketch = sketchOf([-Infinity, -1e300, -2, -1e-300, 0, 1e-300, 2, Infinity, Number.NaN]);
    expect([sketch.count, sketch.missing]).toEqual([8, 1]);
    expect(sketch.quantile(0.5)).toBe(0);
    expect(sketch.quantile(0) / -1e15).toBeCloseTo(1, 1);
    expect(new QuantileSketch().quantile(0.5)).toBeNaN();
    expect(() => sketch.quantile(2)).toThrow(RangeError);
  });
});

describe('compareStreams', () => {
  it('tells a shift from chance', () => {
    const reference = sketchOf(normals(1, 20_000));
    const calm = compareStreams(reference, sketchOf(normals(2, 5000)));
    expect(calm.pValue).toBeGreaterThan(0.01);
    expect(calm.psi).toBeLessThan(0.02);
    const shifted = compareStreams(reference, sketchOf(normals(3, 5000, 1)));
    expect(shifted.pValue).toBeLessThan(1e-100);
    expect(shifted.ksDistance).toBeCloseTo(0.383, 1); // 2 Φ(1/2) − 1
    expect(shifted.psi).toBeCloseTo(1, 0); // δ² for a normal shifted by δ
  });

  it('has nothing to say about empty streams', () => {
    expect(compareStreams(new QuantileSketch(), sketchOf([1]))).toEqual({
      psi: 0,
      ksDistance: 0,
      missingRate: { reference: 0, current: 0 },
      pValue: 1,
    });
  });
});
