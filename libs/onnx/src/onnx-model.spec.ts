import {
  leafOf,
  predictMargin,
  type Random,
  randomInteger,
  randomNormal,
  seededRandom,
  type Tree,
  type TreeEnsemble,
} from '@sextant/learning';
import {
  fillHistoryRow,
  easeWeights,
  withPrior,
  coOccurrence,
  scoreItems,
  weighHistory,
} from '@sextant/learning/recommend';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { writeLinearModel } from './linear-model.js';
import type { OnnxModel } from './onnx-model.js';
import { writeRecommender } from './recommender.js';
import { roundDownToFloat32 } from './round-down.js';
import { writeTreeModel } from './tree-model.js';

/** Runs a model on rows of float32 through ONNX Runtime and checks the described names. */
async function run(model: OnnxModel, rows: Float32Array): Promise<Float32Array> {
  const session = await InferenceSession.create(model.bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const [input] = model.inputs;
  const [output] = model.outputs;
  if (!input || !output) throw new Error('a model has one input and one output');
  expect([...session.inputNames]).toEqual([input.name]);
  expect([...session.outputNames]).toEqual([output.name]);
  const columns = input.shape[1] ?? 0;
  const answer = await session.run({
    [input.name]: new Tensor('float32', rows, [rows.length / columns, columns]),
  });
  const tensor = answer[output.name];
  expect(tensor?.dims).toEqual([rows.length / columns, output.shape[1]]);
  await session.release();
  return tensor?.data as Float32Array;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** A random tree of the given depth; splits on columns 0..columns-1, missing values routed at random. */
function aTree(
  random: Random,
  { columns, depth, spread }: { columns: number; depth: number; spread: number },
): Tree {
  const nodes = 2 ** (depth + 1) - 1;
  const inner = 2 ** depth - 1;
  return {
    feature: Int32Array.from({ length: nodes }, (_, i) => (i < inner ? randomInteger(random, columns) : -1)),
    threshold: Float64Array.from({ length: nodes }, () => randomNormal(random)),
    left: Int32Array.from({ length: nodes }, (_, i) => (i < inner ? 2 * i + 1 : -1)),
    right: Int32Array.from({ length: nodes }, (_, i) => (i < inner ? 2 * i + 2 : -1)),
    defaultLeft: Uint8Array.from({ length: nodes }, () => randomInteger(random, 2)),
    value: Float64Array.from({ length: nodes }, (_, i) => (i < inner ? 0 : spread * randomNormal(random))),
    cover: new Float64Array(nodes).fill(1),
  };
}

function anEnsemble(seed: number, trees: number, columns: number): TreeEnsemble {
  const random = seededRandom(seed);
  return {
    baseScore: -1.7,
    trees: Array.from({ length: trees }, () => aTree(random, { columns, depth: 4, spread: 0.1 })),
  };
}

describe('writeRecommender', () => {
  it('scores histories as the fitted model does, a cold customer by the prior', async () => {
    const random = seededRandom(1);
    const baskets = Array.from({ length: 80 }, () => [
      ...new Set(Array.from({ length: 6 }, () => randomInteger(random, 30))),
    ]);
    const similarity = withPrior(
      await easeWeights(coOccurrence(baskets, 30), 30, { lambda: 2 }),
      Array.from({ length: 30 }, (_, i) => i),
    );
    const histories = [weighHistory([3, 8, 3, 29], 2), weighHistory([], null), weighHistory([0], 5)];
    const rows = new Float32Array(3 * 31);
    histories.forEach((history, i) => fillHistoryRow(rows.subarray(i * 31, (i + 1) * 31), history));

    const scores = await run(writeRecommender(similarity), rows);
    histories.forEach((history, i) => {
      const expected = new Float64Array(30);
      scoreItems(similarity, history, expected);
      expected.forEach((value, j) => expect(Math.abs((scores[i * 30 + j] ?? 9) - value)).toBeLessThan(1e-6));
    });
  });

  it('refuses a matrix of the wrong size', () => {
    expect(() => writeRecommender({ itemCount: 2, matrix: new Float32Array(4) })).toThrow(
      expect.objectContaining({ code: 'FEATURE_VECTOR_MISMATCH' }),
    );
  });
});

describe('writeLinearModel', () => {
  const random = seededRandom(2);
  const coefficients = Array.from({ length: 60 }, () => 3 * randomNormal(random));
  const rows = Float32Array.from({ length: 50 * 60 }, () => randomNormal(random));
  const margin = (i: number): number =>
    coefficients.reduce((sum, c, j) => sum + c * (rows[i * 60 + j] ?? 0), 0.4);

  it('gives calibrated probabilities within 1e-6 of the arithmetic in float64', async () => {
    const head = { kind: 'probability', platt: { a: 0.3, b: -0.2 } } as const;
    const probabilities = await run(writeLinearModel({ coefficients, intercept: 0.4 }, head), rows);
    probabilities.forEach((p, i) => expect(Math.abs(p - sigmoid(0.3 * margin(i) - 0.2))).toBeLessThan(1e-6));
  });

  it('gives log units without a sigmoid', async () => {
    const units = await run(writeLinearModel({ coefficients, intercept: 0.4 }, { kind: 'log-units' }), rows);
    units.forEach((u, i) => expect(Math.abs(u - margin(i))).toBeLessThan(5e-6));
  });

  it('refuses no coefficient and coefficients that are not finite', () => {
    const head = { kind: 'log-units' } as const;
    expect(() => writeLinearModel({ coefficients: [], intercept: 0 }, head)).toThrow();
    expect(() => writeLinearModel({ coefficients: [Number.NaN], intercept: 0 }, head)).toThrow();
  });
});

describe('writeTreeModel', () => {
  it('gives calibrated probabilities within 1e-6 of 300 trees, missing values included', async () => {
    const ensemble = anEnsemble(3, 300, 12);
    const random = seededRandom(4);
    const rows = Float32Array.from({ length: 2000 * 12 }, () =>
      random() < 0.1 ? Number.NaN : randomNormal(random),
    );
    const head = { kind: 'probability', platt: { a: 1.1, b: 0.05 } } as const;
    const probabilities = await run(writeTreeModel(ensemble, 12, head), rows);
    let worst = 0;
    probabilities.forEach((p, i) => {
      const expected = sigmoid(1.1 * predictMargin(ensemble, rows.subarray(i * 12, (i + 1) * 12)) + 0.05);
      worst = Math.max(worst, Math.abs(p - expected));
    });
    expect(worst).toBeLessThan(1e-6);
  });

  it('routes rows that lie on a threshold, or one float32 beside it, to the same leaf', async () => {
    const tree = aTree(seededRandom(5), { columns: 1, depth: 4, spread: 0 });
    tree.value = tree.value.map((_, i) => i);
    const near = [...tree.threshold].flatMap((t) => {
      const below = roundDownToFloat32(t);
      return [below, Math.fround(t), below + Math.abs(below) * 2 ** -23, below - Math.abs(below) * 2 ** -23];
    });
    const rows = Float32Array.from([...near, Number.NaN, 1e30, -1e30]);
    const units = await run(writeTreeModel({ baseScore: 0, trees: [tree] }, 1, { kind: 'log-units' }), rows);
    expect([...units]).toEqual([...rows].map((x) => leafOf(tree, [x])));
  });

  it('writes an ensemble without trees, and one of single leaves, as constants', async () => {
    const leaf = aTree(seededRandom(6), { columns: 1, depth: 0, spread: 0 });
    leaf.value[0] = 0.25;
    const rows = Float32Array.of(1, Number.NaN);
    const head = { kind: 'log-units' } as const;
    expect([...(await run(writeTreeModel({ baseScore: 2, trees: [] }, 1, head), rows))]).toEqual([2, 2]);
    expect([...(await run(writeTreeModel({ baseScore: 2, trees: [leaf, leaf] }, 1, head), rows))]).toEqual([
      2.5, 2.5,
    ]);
  });

  it('refuses a tree that reads a column the input lacks', () => {
    expect(() => writeTreeModel(anEnsemble(7, 3, 12), 2, { kind: 'log-units' })).toThrow(
      expect.objectContaining({ code: 'FEATURE_VECTOR_MISMATCH' }),
    );
  });
});

describe('roundDownToFloat32', () => {
  it('is the largest float32 not above, also around zero and below it', () => {
    const next = (x: number): number => Math.fround(x + Math.abs(x) * 1.5 * 2 ** -24);
    for (const x of [0.1, -0.1, 1 / 3, -1 / 3, 123456.789, -1e-35, 1e20]) {
      const down = roundDownToFloat32(x);
      expect(down).toBe(Math.fround(down));
      expect(down).toBeLessThanOrEqual(x);
      expect(next(down)).toBeGreaterThan(x);
    }
    expect(roundDownToFloat32(0.5)).toBe(0.5);
    expect(roundDownToFloat32(-1e-60)).toBe(-(2 ** -149));
    expect(roundDownToFloat32(1e-60)).toBe(0);
  });
});
