import { describe, expect, it } from 'vitest';
import { gaussBeta, gaussLegendre } from './quadrature.js';

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, x) => total + x, 0);

describe('gaussLegendre', () => {
  it('has the known nodes and weights for two and three points', () => {
    const two = gaussLegendre(2);
    expect(two.nodes[0]).toBeCloseTo(0.5 - 0.5 / Math.sqrt(3), 15);
    expect(Array.from(two.weights, (w) => w.toFixed(14))).toEqual(['0.50000000000000', '0.50000000000000']);
    const three = gaussLegendre(3);
    expect(three.nodes[2]).toBeCloseTo(0.5 + 0.5 * Math.sqrt(0.6), 15);
    expect(three.weights[1]).toBeCloseTo(4 / 9, 15);
  });

  it('integrates a smooth function to rounding', () => {
    const { nodes, weights } = gaussLegendre(32);
    expect(sum(nodes.map((x, k) => Math.exp(3 * x) * (weights[k] ?? 0)))).toBeCloseTo(
      (Math.exp(3) - 1) / 3,
      13,
    );
  });

  it('refuses no nodes', () => {
    expect(() => gaussLegendre(0)).toThrow(RangeError);
  });
});

describe('gaussBeta', () => {
  it.each([
    [0.05, 0.05],
    [0.3, 0.7],
    [0.7929, 2.4259],
    [1, 1],
    [2.5, 0.5],
    [0.8, 2000],
    [1e4, 1e4],
  ])('has the moments of Beta(%d, %d) exactly up to degree 2n − 1', (a, b) => {
    const { nodes, weights } = gaussBeta(20, a, b);
    let moment = 1;
    for (let degree = 0; degree < 40; degree++) {
      const measured = sum(nodes.map((p, k) => p ** degree * (weights[k] ?? 0)));
      expect(Math.abs(measured / moment - 1)).toBeLessThan(1e-9);
      moment *= (a + degree) / (a + b + degree);
    }
    expect(nodes.every((p, k) => p >= 0 && p <= 1 && p >= (nodes[k - 1] ?? 0))).toBe(true);
  });

  it('of one node is the mean', () => {
    expect(gaussBeta(1, 1, 3)).toEqual({ nodes: Float64Array.of(0.25), weights: Float64Array.of(1) });
  });

  it('refuses parameters that are not positive', () => {
    expect(() => gaussBeta(4, 0, 1)).toThrow('Beta needs positive parameters, got 0 and 1');
  });
});
