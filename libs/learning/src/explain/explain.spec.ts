import { describe, expect, it } from 'vitest';
import { applyPlatt } from '../calibration/platt.js';
import { type Random, randomInteger, seededRandom } from '../random/seeded-random.js';
import { linearMargins, logit } from '../score/logistic.js';
import { tableOfRecords } from '../tabular/column-table.js';
import { encodeTable } from '../tabular/encode-table.js';
import { fitTableEncoder } from '../tabular/fit-table-encoder.js';
import { predictMargin, type Tree, type TreeEnsemble } from '../trees/tree-ensemble.js';
import { parseExplainer, writeExplainer } from './explainer.js';
import { TreeShap } from './tree-shap.js';

const COLUMNS = 5;

/** A random full tree of the given depth; columns may repeat on a path, covers add up. */
function aTree(random: Random, depth: number): Tree {
  const nodes = 2 ** (depth + 1) - 1;
  const inner = 2 ** depth - 1;
  const tree: Tree = {
    feature: Int32Array.from({ length: nodes }, (_, i) => (i < inner ? randomInteger(random, COLUMNS) : -1)),
    threshold: Float64Array.from({ length: nodes }, () => random()),
    left: Int32Array.from({ length: nodes }, (_, i) => 2 * i + 1),
    right: Int32Array.from({ length: nodes }, (_, i) => 2 * i + 2),
    defaultLeft: Uint8Array.from({ length: nodes }, () => randomInteger(random, 2)),
    value: Float64Array.from({ length: nodes }, () => random() * 4 - 2),
    cover: Float64Array.from({ length: nodes }, () => 1 + randomInteger(random, 50)),
  };
  for (let i = inner - 1; i >= 0; i--)
    tree.cover[i] = (tree.cover[2 * i + 1] ?? 0) + (tree.cover[2 * i + 2] ?? 0);
  return tree;
}

const anEnsemble = (seed: number): TreeEnsemble => {
  const random = seededRandom(seed);
  return { baseScore: 0.3, trees: [aTree(random, 3), aTree(random, 4), aTree(random, 1), aTree(random, 0)] };
};

const aRow = (random: Random): number[] =>
  Array.from({ length: COLUMNS }, () => (random() < 0.15 ? Number.NaN : random()));

/** Expected margin when only the columns in `known` (a bit set) decide. */
function expectedMargin(tree: Tree, row: readonly number[], known: number, node = 0): number {
  const feature = tree.feature[node] ?? -1;
  if (feature < 0) return tree.value[node] ?? 0;
  const [left, right] = [tree.left[node] ?? 0, tree.right[node] ?? 0];
  const [onLeft, onRight] = [expectedMargin(tree, row, known, left), expectedMargin(tree, row, known, right)];
  if ((known & (1 << feature)) !== 0) {
    const x = row[feature] ?? Number.NaN;
    const goesLeft = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x <= (tree.threshold[node] ?? 0);
    return goesLeft ? onLeft : onRight;
  }
  const [a, b] = [tree.cover[left] ?? 0, tree.cover[right] ?? 0];
  return (a * onLeft + b * onRight) / (a + b);
}

/** Shapley values by their definition: all subsets of the columns. */
function bruteForce(ensemble: TreeEnsemble, row: readonly number[]): number[] {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const value = (known: number): number =>
    ensemble.trees.reduce((sum, tree) => sum + expectedMargin(tree, row, known), 0);
  return Array.from({ length: COLUMNS }, (_, column) => {
    let phi = 0;
    for (let known = 0; known < 2 ** COLUMNS; known++) {
      if ((known & (1 << column)) !== 0) continue;
      const size = known.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(COLUMNS - size - 1)) / factorial(COLUMNS);
      phi += weight * (value(known | (1 << column)) - value(known));
    }
    return phi;
  });
}

describe('TreeShap', () => {
  it('equals the definition of Shapley values, with repeated columns and missing cells', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const ensemble = anEnsemble(seed);
      const shap = new TreeShap(ensemble, COLUMNS);
      const random = seededRandom(100 + seed);
      for (let i = 0; i < 5; i++) {
        const row = aRow(random);
        const expected = bruteForce(ensemble, row);
        for (const [column, phi] of shap.contributions(row).entries())
          expect(phi).toBeCloseTo(expected[column] ?? Number.NaN, 10);
      }
    }
  });

  it('adds up to the margin', () => {
    const ensemble = anEnsemble(77);
    const shap = new TreeShap(ensemble, COLUMNS);
    const random = seededRandom(5);
    for (let i = 0; i < 50; i++) {
      const row = aRow(random);
      const total = shap.contributions(row).reduce((sum, phi) => sum + phi, shap.baseValue);
      expect(total).toBeCloseTo(predictMargin(ensemble, row), 10);
    }
  });

  it('is worked out by hand for one split', () => {
    const tree: Tree = {
      feature: Int32Array.of(1, -1, -1),
      threshold: Float64Array.of(0.5, 0, 0),
      left: Int32Array.of(1, -1, -1),
      right: Int32Array.of(2, -1, -1),
      defaultLeft: Uint8Array.of(1, 0, 0),
      value: Float64Array.of(0, -1, 3),
      cover: Float64Array.of(4, 3, 1),
    };
    const shap = new TreeShap({ baseScore: 10, trees: [tree] }, 2);

    expect(shap.baseValue).toBe(10);
    expect([...shap.contributions([0, 0.9])]).toEqual([0, 3]);
    expect([...shap.contributions([0, 0.1])]).toEqual([0, -1]);
  });
});

describe('parseExplainer(writeExplainer(…))', () => {
  const table = tableOfRecords([
    { age: 30, channel: 'web' },
    { age: 40, channel: 'shop' },
    { age: 50, channel: 'web' },
    { age: null, channel: 'shop' },
  ]);
  const calibration = { a: 0.8, b: -0.4 };
  const { encoding } = fitTableEncoder(table, { purpose: 'linear' });
  const rows = encodeTable(encoding, table);
  const row = rows.subarray(0, encoding.features.length);

  it('attributes a linear model to raw columns, in log-odds of the calibrated probability', () => {
    const model = { coefficients: Float64Array.of(1, 0.5, 2, -1, 0), intercept: 0.1 };
    const means = Float64Array.of(0, 0.25, 0.5, 0.5, 0);
    const text = writeExplainer(encoding, { method: 'linear', model, means }, calibration);
    const explainer = parseExplainer(text);
    const { baseValue, contributions } = explainer.explain(row);

    expect(explainer.columns).toEqual(['age', 'channel']);
    expect(contributions[1]).toBeCloseTo(0.8 * (2 * (0 - 0.5) - 1 * (1 - 0.5)), 12);
    const probability = applyPlatt(calibration, linearMargins(model, row)[0] ?? 0);
    expect(contributions.reduce((sum, c) => sum + c, baseValue)).toBeCloseTo(logit(probability), 12);
  });

  it('attributes trees to raw columns, in log-odds of the calibrated probability', () => {
    const ensemble = anEnsemble(3);
    const explainer = parseExplainer(
      writeExplainer(encoding, { method: 'tree-shap', ensemble }, calibration),
    );
    const { baseValue, contributions } = explainer.explain(row);

    expect(contributions).toHaveLength(2);
    const probability = applyPlatt(calibration, predictMargin(ensemble, row));
    expect(contributions.reduce((sum, c) => sum + c, baseValue)).toBeCloseTo(logit(probability), 10);
  });

  it('refuses a file of another kind', () => {
    expect(() => parseExplainer('{')).toThrow('not JSON');
    expect(() => parseExplainer('null')).toThrow('format is unknown');
    expect(() => parseExplainer('{"format":"sextant-explainer-1"}')).toThrow('lacks columns');
  });
});
