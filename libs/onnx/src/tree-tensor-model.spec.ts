import {
  predictMargin,
  type Random,
  randomInteger,
  randomNormal,
  seededRandom,
  type Tree,
  type TreeEnsemble,
} from '@sextant/learning';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { onnxDescription, onnxFiles } from './onnx-files.js';
import type { OnnxModel } from './onnx-model.js';
import { roundDownToFloat32 } from './round-down.js';
import { writeTreeForms } from './tree-forms.js';
import { writeTreeTensorModel } from './tree-tensor-model.js';

async function run(bytes: Uint8Array, rows: Float32Array, columns: number): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const [input = '', output = ''] = [session.inputNames[0], session.outputNames[0]];
  const count = rows.length / columns;
  const answers = new Float32Array(count);
  const batch = 500;
  for (let from = 0; from < count; from += batch) {
    const size = Math.min(batch, count - from);
    const slice = rows.slice(from * columns, (from + size) * columns);
    const answer = await session.run({ [input]: new Tensor('float32', slice, [size, columns]) });
    expect(answer[output]?.dims).toEqual([size, 1]);
    answers.set(answer[output]?.data as Float32Array, from);
  }
  await session.release();
  return answers;
}

/** A tree grown leaf by leaf at random, unbalanced as LightGBM's are. */
function aTree(random: Random, { columns, leaves }: { columns: number; leaves: number }): Tree {
  const leaf = () => ({ feature: -1, threshold: 0, left: -1, right: -1, value: 0.2 * randomNormal(random) });
  const nodes = [leaf()];
  while (nodes.length < 2 * leaves - 1) {
    const open = nodes.filter((node) => node.feature < 0);
    const node = open[randomInteger(random, open.length)] ?? leaf();
    Object.assign(node, { feature: randomInteger(random, columns), threshold: randomNormal(random) });
    node.left = nodes.push(leaf()) - 1;
    node.right = nodes.push(leaf()) - 1;
  }
  return {
    feature: Int32Array.from(nodes, (node) => node.feature),
    threshold: Float64Array.from(nodes, (node) => node.threshold),
    left: Int32Array.from(nodes, (node) => node.left),
    right: Int32Array.from(nodes, (node) => node.right),
    defaultLeft: Uint8Array.from(nodes, () => randomInteger(random, 2)),
    value: Float64Array.from(nodes, (node) => node.value),
    cover: new Float64Array(nodes.length).fill(1),
  };
}

function anEnsemble(seed: number, trees: number, columns: number): TreeEnsemble {
  const random = seededRandom(seed);
  const sizes = [31, 15, 1, 7];
  return {
    baseScore: -0.7,
    trees: Array.from({ length: trees }, (_, i) => aTree(random, { columns, leaves: sizes[i % 4] ?? 1 })),
  };
}

function tensorForm(
  ensemble: TreeEnsemble,
  columns: number,
  head: Parameters<typeof writeTreeTensorModel>[2],
): OnnxModel {
  const model = writeTreeTensorModel(ensemble, columns, head);
  if (model === null) throw new Error('the ensemble is small enough for tensors');
  return model;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const LOG_UNITS = { kind: 'log-units' } as const;

describe('both forms of a tree model', () => {
  it('give the probabilities of the fitted model within 1e-6 on 10,000 rows, missing values included', async () => {
    const columns = 12;
    const ensemble = anEnsemble(1, 100, columns);
    const random = seededRandom(2);
    const rows = Float32Array.from({ length: 10_000 * columns }, () =>
      random() < 0.1 ? Number.NaN : randomNormal(random),
    );
    const { bytes, gpuBytes } = writeTreeForms(ensemble, columns, {
      kind: 'probability',
      platt: { a: 1.1, b: 0.05 },
    });
    for (const form of [bytes, gpuBytes]) {
      const probabilities = await run(form ?? new Uint8Array(), rows, columns);
      let worst = 0;
      probabilities.forEach((p, i) => {
        const margin = predictMargin(ensemble, rows.subarray(i * columns, (i + 1) * columns));
        worst = Math.max(worst, Math.abs(p - sigmoid(1.1 * margin + 0.05)));
      });
      expect(worst).toBeLessThan(1e-6);
    }
  }, 60_000);
});

describe('writeTreeTensorModel', () => {
  it('routes every row as the tree does: on a threshold, one float32 beside it, infinite, missing', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const tree = aTree(seededRandom(seed), { columns: 2, leaves: 24 });
      // Each leaf has its own number, so that the sum tells the leaf.
      tree.value = tree.value.map((_, i) => i + 1);
      tree.threshold[0] = 0;
      const near = [...tree.threshold].flatMap((t) => {
        const below = roundDownToFloat32(t);
        return [
          below,
          Math.fround(t),
          below + Math.abs(below) * 2 ** -23,
          below - Math.abs(below) * 2 ** -23,
        ];
      });
      const cells = [...near, Number.NaN, Infinity, -Infinity, 0, -0, 3.4e38, 1e-45, -1e-45];
      const rows = Float32Array.from(cells.flatMap((x) => [x, 0.3, 0.3, x, x, x]));
      const margins = await run(tensorForm({ baseScore: 0, trees: [tree] }, 2, LOG_UNITS).bytes, rows, 2);
      const expected = Array.from(margins, (_, i) =>
        predictMargin({ baseScore: 0, trees: [tree] }, rows.subarray(2 * i, 2 * i + 2)),
      );
      expect([...margins]).toEqual(expected);
    }
  });

  it('keeps 24 bits of a leaf value in summands of 11 bits, whatever its size', async () => {
    for (const value of [Math.PI, -Math.E * 1e-6, 1 / 3e5, 123456.789, 2047.5, 0, 1e-30]) {
      const tree = { ...aTree(seededRandom(3), { columns: 1, leaves: 1 }), value: Float64Array.of(value) };
      const [margin] = await run(
        tensorForm({ baseScore: 0, trees: [tree] }, 1, LOG_UNITS).bytes,
        new Float32Array(1),
        1,
      );
      expect(margin).toBe(Math.fround(value));
    }
  });

  it('writes an ensemble without trees, and one of single leaves, as constants', async () => {
    const leaf = { ...aTree(seededRandom(4), { columns: 1, leaves: 1 }), value: Float64Array.of(0.25) };
    const rows = Float32Array.of(1, Number.NaN);
    expect([...(await run(tensorForm({ baseScore: 2, trees: [] }, 1, LOG_UNITS).bytes, rows, 1))]).toEqual([
      2, 2,
    ]);
    const two = tensorForm({ baseScore: 2, trees: [leaf, leaf] }, 1, LOG_UNITS);
    expect([...(await run(two.bytes, rows, 1))]).toEqual([2.5, 2.5]);
  });

  it('refuses a tree that reads a column the input lacks', () => {
    expect(() => writeTreeTensorModel(anEnsemble(5, 3, 12), 2, LOG_UNITS)).toThrow(
      expect.objectContaining({ code: 'FEATURE_VECTOR_MISMATCH' }),
    );
  });

  it('is not written for an ensemble that would take more than its limit, and the artefact then names one file', () => {
    const random = seededRandom(6);
    const large = aTree(random, { columns: 2, leaves: 300 });
    const ensemble = { baseScore: 0, trees: new Array<Tree>(200).fill(large) };
    expect(writeTreeTensorModel(ensemble, 2, LOG_UNITS)).toBeNull();
    const model = writeTreeForms(ensemble, 2, LOG_UNITS);
    expect(onnxFiles(model).map(([name]) => name)).toEqual(['model.onnx']);
    expect(onnxDescription(model)).not.toHaveProperty('gpuFile');
  });

  it('stands in the artefact beside the other form', () => {
    const model = writeTreeForms(anEnsemble(7, 4, 3), 3, LOG_UNITS);
    expect(onnxFiles(model).map(([name]) => name)).toEqual(['model.onnx', 'model.gpu.onnx']);
    expect(onnxDescription(model)).toMatchObject({ gpuFile: 'model.gpu.onnx', opset: 17 });
  });
});
