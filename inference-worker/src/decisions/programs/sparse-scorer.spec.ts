import { seededRandom } from '@sextant/learning';
import { writeRecommender, writeSessionModel } from '@sextant/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { ModelSession } from '../../onnx/model-session.js';
import { CPU_ONLY } from '../../onnx/providers.js';
import { customerModel, sessionModel, type SlateModel, type WeighedSources } from './slate-model.js';
import { type RunRows, SparseScorer } from './sparse-scorer.js';

const ITEMS = 60;
const items = Array.from({ length: ITEMS }, (_, i) => `i${i}`);
const random = seededRandom(3);
let session: ModelSession | undefined;
afterEach(() => session?.release());

async function runnerOf(onnx: Uint8Array): Promise<RunRows> {
  const model = { key: 'm@1/1', onnx, inputs: null, outputs: null, warmUpRows: [1], explainer: null };
  const opened = await ModelSession.open(model, CPU_ONLY);
  session = opened;
  return async (data, rows) => {
    const { outputs } = await opened.run({ rows, inputs: [{ data, dims: [rows, data.length / rows] }] });
    return outputs[0]?.data as Float32Array;
  };
}

function aCustomerModel(matrix: Float32Array): SlateModel {
  const spec = {
    task: 'recommend' as const,
    items,
    components: [],
    tauItems: 3,
    excludeHistory: true,
    rank: null,
    similarityFile: 'similarity.f32',
  };
  return customerModel(spec, matrix);
}

function aMatrix(rows: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * ITEMS }, () => random() - 0.3);
}

async function onnxScores(model: SlateModel, run: RunRows, sources: WeighedSources): Promise<Float32Array> {
  const input = new Float32Array(model.width);
  model.fill(input, sources);
  return (await run(input, 1)).slice();
}

async function expectSame(model: SlateModel, run: RunRows): Promise<void> {
  const scorer = await SparseScorer.open(model, run);
  if (scorer === null) throw new Error('the sums are those of the model');
  const out = new Float64Array(ITEMS);
  for (const length of [0, 1, 3, 4, 5, 17, ITEMS]) {
    const history = Array.from({ length }, () => Math.floor(random() * ITEMS));
    const sources = model.weigh(history);
    scorer.score(sources, out);
    const expected = await onnxScores(model, run, sources);
    out.forEach((score, i) => expect(score).toBeCloseTo(expected[i] ?? Number.NaN, 5));
  }
}

describe('SparseScorer', () => {
  it('gives the scores of the ONNX model of customers, for histories of any length', async () => {
    const matrix = aMatrix(ITEMS + 1);
    const run = await runnerOf(writeRecommender({ itemCount: ITEMS, matrix }).bytes);
    await expectSame(aCustomerModel(matrix), run);
  });

  it('gives the scores of the ONNX model of sessions, with the prior that only the graph holds', async () => {
    const transitions = aMatrix(ITEMS);
    const prior = Float32Array.from({ length: ITEMS }, () => random());
    const run = await runnerOf(writeSessionModel({ itemCount: ITEMS, transitions, prior }).bytes);
    const spec = {
      task: 'session' as const,
      items,
      sourceDecay: 0.7,
      repeats: [0.2, 0.1],
      transitionsFile: 'transitions.f32',
    };
    await expectSame(sessionModel(spec, transitions), run);
  });

  it('is not there for a graph that computes something else than the weights beside it', async () => {
    const run = await runnerOf(writeRecommender({ itemCount: ITEMS, matrix: aMatrix(ITEMS + 1) }).bytes);
    await expect(SparseScorer.open(aCustomerModel(aMatrix(ITEMS + 1)), run)).resolves.toBeNull();
  });
});
