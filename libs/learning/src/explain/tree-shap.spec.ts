import { describe, expect, it } from 'vitest';
import { type Random, randomInteger, seededRandom } from '../random/seeded-random.js';
import { predictMargin, type Tree, type TreeEnsemble } from '../trees/tree-ensemble.js';
import { fillLeafTable, gaussLegendre, leafContributions } from './shap-leaf.js';
import { TreeShap } from './tree-shap.js';

interface Growth {
  random: Random;
  columns: number;
  leaves: number;
}

/** A tree grown leaf by leaf at random, as LightGBM's are: unbalanced, columns repeated on a path, covers that add up. */
function aGrownTree({ random, columns, leaves }: Growth): Tree {
  const nodes = [{ feature: -1, threshold: 0, left: -1, right: -1, value: random() * 2 - 1, cover: 5000 }];
  while (nodes.length < 2 * leaves - 1) {
    const open = nodes.flatMap((node, i) => (node.feature < 0 && node.cover > 1 ? [i] : []));
    const node = nodes[open[randomInteger(random, open.length)] ?? 0];
    if (!node) break;
    const cover = 1 + randomInteger(random, node.cover - 1);
    Object.assign(node, { feature: randomInteger(random, columns), threshold: random() });
    node.left = nodes.push({ ...leaf(random), cover }) - 1;
    node.right = nodes.push({ ...leaf(random), cover: node.cover - cover }) - 1;
  }
  return {
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    defaultLeft: Uint8Array.from(nodes, () => randomInteger(random, 2)),
    value: Float64Array.from(nodes, (node) => node.value),
    cover: Float64Array.from(nodes, (node) => node.cover),
  };
}

const leaf = (random: Random) => ({
  feature: -1,
  threshold: 0,
  left: -1,
  right: -1,
  value: random() * 2 - 1,
});

/** One path through all columns: column i below its threshold goes on, above it the leaf i. */
function aChain(columns: number): Tree {
  const inner = (i: number): number => 2 * i;
  const nodes = 2 * columns + 1;
  const isInner = (node: number): boolean => node % 2 === 0 && node < 2 * columns;
  return {
    feature: Int32Array.from({ length: nodes }, (_, node) => (isInner(node) ? node / 2 : -1)),
    threshold: new Float64Array(nodes).fill(0.7),
    left: Int32Array.from({ length: nodes }, (_, node) => (isInner(node) ? inner(node / 2 + 1) : -1)),
    right: Int32Array.from({ length: nodes }, (_, node) => (isInner(node) ? node + 1 : -1)),
    defaultLeft: Uint8Array.from({ length: nodes }, (_, node) => (node / 2) % 2),
    value: Float64Array.from({ length: nodes }, (_, node) => Math.sin(node)),
    cover: Float64Array.from(
      { length: nodes },
      (_, node) => 3 ** (columns - Math.floor(node / 2)) * (isInner(node) ? 3 : 1),
    ),
  };
}

function fixCovers(tree: Tree, node = 0): number {
  if ((tree.feature[node] ?? -1) < 0) return tree.cover[node] ?? 0;
  const cover = fixCovers(tree, tree.left[node] ?? 0) + fixCovers(tree, tree.right[node] ?? 0);
  tree.cover[node] = cover;
  return cover;
}

const cells = (random: Random, count: number): Float64Array =>
  Float64Array.from({ length: count }, () => (random() < 0.15 ? Number.NaN : random()));

/** Expected margin of a tree by the set of known columns (bits), for all 2^columns sets. */
function expectedMargins(tree: Tree, row: ArrayLike<number>, columns: number): Float64Array {
  const visit = (node: number, known: number): number => {
    const feature = tree.feature[node] ?? -1;
    if (feature < 0) return tree.value[node] ?? 0;
    const [left, right] = [tree.left[node] ?? 0, tree.right[node] ?? 0];
    if ((known & (1 << feature)) !== 0) {
      const x = row[feature] ?? Number.NaN;
      const isLeft = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x <= (tree.threshold[node] ?? 0);
      return visit(isLeft ? left : right, known);
    }
    const [a, b] = [tree.cover[left] ?? 0, tree.cover[right] ?? 0];
    if (a + b === 0) return 0;
    return (a * visit(left, known) + b * visit(right, known)) / (a + b);
  };
  return Float64Array.from({ length: 2 ** columns }, (_, known) => visit(0, known));
}

/** Shapley values by their definition: all subsets of the columns. */
function bruteForce({ trees }: TreeEnsemble, row: ArrayLike<number>, columns: number): Float64Array {
  const phi = new Float64Array(columns);
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const weights = Array.from(
    { length: columns },
    (_, size) => (factorial(size) * factorial(columns - size - 1)) / factorial(columns),
  );
  const sizes = Uint8Array.from(
    { length: 2 ** columns },
    (_, set) => set.toString(2).replaceAll('0', '').length,
  );
  for (const tree of trees) {
    const value = expectedMargins(tree, row, columns);
    for (let column = 0; column < columns; column++)
      for (let known = 0; known < value.length; known++) {
        if ((known & (1 << column)) !== 0) continue;
        const gain = (value[known | (1 << column)] ?? 0) - (value[known] ?? 0);
        phi[column] = (phi[column] ?? 0) + (weights[sizes[known] ?? 0] ?? 0) * gain;
      }
  }
  return phi;
}

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a, (x, i) => Math.abs(x - (b[i] ?? Number.NaN))).reduce(
    (worst, gap) => Math.max(worst, gap),
    0,
  );
}

const ways = [
  ['tables', {}],
  ['no table', { maxTableBytes: 0 }],
  ['tables of small leaves only', { maxTableBytes: 300 }],
] as const;

describe.each(ways)('TreeShap with %s', (_, options) => {
  it('equals the definition of Shapley values on a model of 12 columns', () => {
    const random = seededRandom(1);
    const trees = Array.from({ length: 6 }, () => aGrownTree({ random, columns: 12, leaves: 31 }));
    const ensemble = { baseScore: 0.2, trees };
    const shap = new TreeShap(ensemble, 12, options);
    for (let i = 0; i < 3; i++) {
      const row = cells(random, 12);
      expect(largestGap(shap.contributions(row), bruteForce(ensemble, row, 12))).toBeLessThan(1e-12);
    }
  });

  it('equals it on a path of 16 columns, also where no training row went', () => {
    const chain = aChain(16);
    fixCovers(chain);
    const deserted = aChain(16);
    deserted.cover[9] = 0;
    fixCovers(deserted);
    const ensemble = { baseScore: 0, trees: [chain, deserted] };
    const shap = new TreeShap(ensemble, 16, options);
    const random = seededRandom(2);
    for (const row of [
      cells(random, 16),
      cells(random, 16),
      new Float64Array(16),
      new Float64Array(16).fill(1),
    ])
      expect(largestGap(shap.contributions(row), bruteForce(ensemble, row, 16))).toBeLessThan(1e-12);
  });

  it('adds up to the margin on 10,000 rows, many at once as one at a time', () => {
    const random = seededRandom(3);
    const trees = Array.from({ length: 20 }, () => aGrownTree({ random, columns: 25, leaves: 31 }));
    const ensemble = { baseScore: -1, trees };
    const shap = new TreeShap(ensemble, 25, options);
    const rows = cells(random, 10_000 * 25);
    const phi = shap.contributionsOf(rows, 10_000);
    let worst = 0;
    for (let i = 0; i < 10_000; i++) {
      const [row, own] = [rows.subarray(i * 25, i * 25 + 25), phi.subarray(i * 25, i * 25 + 25)];
      const total = own.reduce((sum, value) => sum + value, shap.baseValue);
      worst = Math.max(worst, Math.abs(total - predictMargin(ensemble, row)));
      if (i % 997 === 0) expect(shap.contributions(row)).toEqual(own);
    }
    expect(worst).toBeLessThan(1e-12);
  });
});

describe('TreeShap', () => {
  it('credits nothing without trees, for trees of one leaf, and for no row', () => {
    const lone: Tree = { ...aGrownTree({ random: seededRandom(4), columns: 2, leaves: 1 }) };
    lone.value[0] = 0.5;
    const shap = new TreeShap({ baseScore: 1, trees: [lone, lone] }, 2);
    expect(shap.baseValue).toBe(2);
    expect([...shap.contributions([1, 2])]).toEqual([0, 0]);
    expect([...new TreeShap({ baseScore: 1, trees: [] }, 2).contributions([1, 2])]).toEqual([0, 0]);
    expect(shap.contributionsOf([], 0)).toHaveLength(0);
  });

  it('keeps its tables within the limit', () => {
    const random = seededRandom(5);
    const trees = Array.from({ length: 10 }, () => aGrownTree({ random, columns: 40, leaves: 31 }));
    const whole = new TreeShap({ baseScore: 0, trees }, 40).tableBytes;
    const limited = new TreeShap({ baseScore: 0, trees }, 40, { maxTableBytes: whole / 2 }).tableBytes;
    expect(limited).toBeLessThanOrEqual(whole / 2);
    expect(limited).toBeGreaterThan(0);
  });

  it('stays exact where a cell is a threshold or the next number, infinite or negative zero', () => {
    const random = seededRandom(6);
    const tree = aGrownTree({ random, columns: 2, leaves: 20 });
    tree.threshold[0] = 0;
    const ensemble = { baseScore: 0, trees: [tree] };
    const shap = new TreeShap(ensemble, 2);
    const near = [...tree.threshold].flatMap((t) => [t, t + 2 ** -53, t - 2 ** -53]);
    for (const x of [...near, -0, Infinity, -Infinity, Number.NaN])
      for (const row of [
        [x, 0.5],
        [0.5, x],
        [x, x],
      ]) {
        const total = shap.contributions(row).reduce((sum, value) => sum + value, shap.baseValue);
        expect(total).toBeCloseTo(predictMargin(ensemble, row), 12);
      }
  });
});

describe('the table of a leaf', () => {
  const shares = [0.5, 0.2, 0.9, 0.01, 0.6];
  const table = new Float64Array(2 + 2 ** 5);
  fillLeafTable(shares, 3, { table, at: 2 });

  it('credits in every pattern what the integral credits', () => {
    const phi = new Float64Array(5);
    for (let failing = 0; failing < 2 ** 5; failing++) {
      const holds = shares.map((_, j) => ((failing >> j) & 1 ? 0 : 1));
      leafContributions({ shares, value: 3, holds }, gaussLegendre(3), phi);
      for (const [j, share] of shares.entries()) {
        const entry = table[2 + (failing | (1 << j))] ?? 0;
        expect(holds[j] === 1 ? (entry * (share - 1)) / share : entry).toBeCloseTo(phi[j] ?? 9, 14);
      }
    }
  });

  it('is worked out by hand for two columns', () => {
    const two = new Float64Array(4);
    fillLeafTable([0.5, 0.25], 1, { table: two, at: 0 });
    // Column 0 holds, 1 fails: φ0 = 0.5 · ½ (0.25 + 0), φ1 = −0.25 · ½ (0.5 + 1).
    expect(two[3]).toBe(-0.0625);
    expect((two[3] ?? 0) * ((0.5 - 1) / 0.5)).toBe(0.0625);
    expect(two[2]).toBe(-0.1875);
  });
});

describe('gaussLegendre', () => {
  it('gives the published points and weights on [0, 1]', () => {
    const two = gaussLegendre(2);
    expect([...two.points]).toEqual([
      expect.closeTo(0.5 - 1 / Math.sqrt(12), 15),
      expect.closeTo(0.5 + 1 / Math.sqrt(12), 15),
    ]);
    expect([...two.weights]).toEqual([expect.closeTo(0.5, 15), expect.closeTo(0.5, 15)]);
    expect([...gaussLegendre(3).weights]).toEqual([5 / 18, 4 / 9, 5 / 18].map((w) => expect.closeTo(w, 14)));
  });

  it('integrates powers up to 2n − 1 exactly', () => {
    for (const n of [1, 4, 11, 32]) {
      const { points, weights } = gaussLegendre(n);
      for (let power = 0; power <= 2 * n - 1; power++) {
        const integral = points.reduce((sum, t, q) => sum + (weights[q] ?? 0) * t ** power, 0);
        expect(integral).toBeCloseTo(1 / (power + 1), 13);
      }
    }
  });
});
