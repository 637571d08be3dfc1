import { describe, expect, it } from 'vitest';
import { differenceOf } from './shadow-comparison.js';

describe('differenceOf', () => {
  it('is the sum and the largest of the absolute differences of all outputs', () => {
    expect(
      differenceOf([
        [Float32Array.of(1, 2, 3), Float32Array.of(1, 2.5, 2)],
        [BigInt64Array.of(5n), BigInt64Array.of(7n)],
      ]),
    ).toEqual({ values: 4, sumAbsolute: 3.5, maxAbsolute: 2 });
  });

  it('takes two NaN and two like infinities for equal, and everything else beside them for infinitely apart', () => {
    const same = Float64Array.of(Number.NaN, Infinity, -Infinity);
    expect(differenceOf([[same, same]])).toEqual({ values: 3, sumAbsolute: 0, maxAbsolute: 0 });
    for (const other of [0, -Infinity]) {
      expect(differenceOf([[Float64Array.of(Infinity), Float64Array.of(other)]]).maxAbsolute).toBe(Infinity);
    }
    expect(differenceOf([[Float64Array.of(Number.NaN), Float64Array.of(1)]]).maxAbsolute).toBe(Infinity);
  });

  it('is nothing without outputs and refuses outputs of two lengths', () => {
    expect(differenceOf([])).toEqual({ values: 0, sumAbsolute: 0, maxAbsolute: 0 });
    expect(() => differenceOf([[Float32Array.of(1), Float32Array.of(1, 2)]])).toThrow(RangeError);
  });
});
