import { node } from '@sextant/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import type { Datatype } from '@sextant/artefacts';
import { type Tensor, type TensorData, tensorSpec } from '../tensors/tensor.js';
import { aGraph, anIdentity } from '../testing/test-graphs.js';
import { ModelSession } from './model-session.js';
import { CPU_ONLY, NoProviderError, type ProviderPlan } from './providers.js';
import type { LoadedModel } from './thread-messages.js';

const opened: ModelSession[] = [];
afterEach(async () => {
  for (const session of opened.splice(0)) await session.release();
});

async function open(
  onnx: Uint8Array,
  over: Partial<LoadedModel> = {},
  plan: ProviderPlan = CPU_ONLY,
): Promise<ModelSession> {
  const model = { key: 'm@1/1', onnx, inputs: null, outputs: null, warmUpRows: [1, 3], explainer: null };
  const session = await ModelSession.open({ ...model, ...over }, plan);
  opened.push(session);
  return session;
}

const VALUES: Record<Datatype, TensorData> = {
  BOOL: Uint8Array.of(1, 0),
  UINT8: Uint8Array.of(0, 255),
  UINT16: Uint16Array.of(0, 65_535),
  UINT32: Uint32Array.of(0, 4_294_967_295),
  UINT64: BigUint64Array.of(0n, 2n ** 64n - 1n),
  INT8: Int8Array.of(-128, 127),
  INT16: Int16Array.of(-32_768, 32_767),
  INT32: Int32Array.of(-2_147_483_648, 2_147_483_647),
  INT64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
  // The bits of 1 and -2.
  FP16: Uint16Array.of(0x3c00, 0xc000),
  FP32: Float32Array.of(1.5, -2.5),
  FP64: Float64Array.of(0.1, Number.MAX_VALUE),
  BYTES: ['', 'grüß dich 😀'],
};

describe('ModelSession.run', () => {
  it.each(Object.entries(VALUES))('carries %s through a model unchanged', async (datatype, data) => {
    const session = await open(anIdentity(datatype as Datatype, [-1, 2]));
    const { outputs } = await session.run({ rows: 1, inputs: [{ data, dims: [1, 2] }] });

    expect(outputs).toEqual([{ data, dims: [1, 2] }]);
  });

  it('gives outputs in buffers of their own, which another thread may take', async () => {
    const session = await open(anIdentity('FP32', [-1, 2]));
    const input: Tensor = { data: Float32Array.of(1, 2), dims: [1, 2] };
    const [first] = (await session.run({ rows: 1, inputs: [input] })).outputs;
    (input.data as Float32Array).fill(9);
    await session.run({ rows: 1, inputs: [input] });
    const taken = structuredClone(first, { transfer: [(first?.data as Float32Array<ArrayBuffer>).buffer] });

    expect(taken).toEqual({ data: Float32Array.of(1, 2), dims: [1, 2] });
  });

  it('feeds inputs by the order of the signature it was opened with, not of the graph', async () => {
    const value = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 1] });
    const graph = aGraph([node('Sub', 'a b -> d')], [value('a'), value('b')], [value('d')]);
    const session = await open(graph, { inputs: [value('b'), value('a')].map(tensorSpec) });
    const one = (x: number): Tensor => ({ data: Float32Array.of(x), dims: [1, 1] });

    const { outputs } = await session.run({ rows: 1, inputs: [one(3), one(10)] });
    expect(outputs[0]?.data).toEqual(Float32Array.of(7));
  });

  it('serves a model whose shapes are not rows as the request came', async () => {
    const session = await open(anIdentity('BYTES', [-1, -1]));
    const texts: Tensor = { data: ['a', 'b', 'c', 'd', 'e', 'f'], dims: [2, 3] };

    expect((await session.run({ rows: 2, inputs: [texts] })).outputs).toEqual([texts]);
  });

  it('refuses an answer that has other rows than the job', async () => {
    const distinct = aGraph(
      [node('Unique', 'x -> y')],
      [{ name: 'x', datatype: 'FP32', shape: [-1] }],
      [{ name: 'y', datatype: 'FP32', shape: [-1] }],
    );
    await expect(open(distinct)).rejects.toThrow('output "y" is float32 [1], its signature says FP32 [3]');
  });
});

describe('ModelSession.open', () => {
  it('reads the signature from the file where nobody brings one', async () => {
    const session = await open(anIdentity('INT64', [-1, 4]));

    expect(session.inputs).toEqual([tensorSpec({ name: 'x', datatype: 'INT64', shape: [-1, 4] })]);
    expect(session.outputs.map(({ name }) => name)).toEqual(['y']);
    expect(session.provider).toBe('cpu');
  });

  it.each([
    [{ name: 'z', datatype: 'FP32' as const, shape: [-1, 2] }, "inputs are x, the manifest's are z"],
    [{ name: 'x', datatype: 'FP64' as const, shape: [-1, 2] }, 'FP32 [-1, 2] in the graph and FP64'],
    [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3] }, '[-1, 2] in the graph and FP32 [-1, 3]'],
  ])('refuses a file that does not fit the manifest: %o', async (declared, message) => {
    await expect(open(anIdentity('FP32', [-1, 2]), { inputs: [tensorSpec(declared)] })).rejects.toThrow(
      message,
    );
  });

  it('goes on to the next provider and tells the failure of each before it', async () => {
    const plan: ProviderPlan = { providers: ['cuda', 'cpu'], strict: true };
    const session = await open(anIdentity('FP32', [-1, 2]), {}, plan);

    expect(session.provider).toBe('cpu');
    expect(session.attempts).toEqual([
      {
        provider: 'cuda',
        failure: expect.stringMatching(/^Failed to load shared library: lib.*providers_cuda.* is not beside/),
      },
    ]);
  });

  it('says of every provider why none can, without paths of the machine that built ONNX Runtime', async () => {
    const plan: ProviderPlan = { providers: ['tensorrt', 'cpu'], strict: false };
    const failure = await open(new Uint8Array(100), {}, plan).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(NoProviderError);
    expect((failure as Error).message).toMatch(/^tensorrt: .+; cpu: Failed to load model/);
    expect((failure as Error).message).not.toMatch(/onnxruntime_src|\.cc:/);
  });
});
