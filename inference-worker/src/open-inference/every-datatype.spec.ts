import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { openInferenceService } from '@sextant/inference-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putPlain } from '../testing/plain-models.js';
import { anIdentity } from '../testing/test-graphs.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';
import type { Datatype } from '@sextant/artefacts';
import { textBytes } from './texts.js';

interface Sample {
  datatype: Datatype;
  /** typed field and what it takes; FP16 has none */
  typed: Record<string, unknown[]> | null;
  raw: Buffer;
}

const bytesOf = ({ buffer }: { buffer: ArrayBufferLike }): Buffer => Buffer.from(buffer);
const SAMPLES: readonly Sample[] = [
  { datatype: 'BOOL', typed: { boolContents: [true, false] }, raw: Buffer.from([1, 0]) },
  { datatype: 'INT8', typed: { intContents: [-128, 127] }, raw: bytesOf(Int8Array.of(-128, 127)) },
  { datatype: 'INT16', typed: { intContents: [-32768, 7] }, raw: bytesOf(Int16Array.of(-32768, 7)) },
  { datatype: 'INT32', typed: { intContents: [-(2 ** 31), 1] }, raw: bytesOf(Int32Array.of(-(2 ** 31), 1)) },
  {
    datatype: 'INT64',
    typed: { int64Contents: ['-9223372036854775808', '4611686018427387905'] },
    raw: bytesOf(BigInt64Array.of(-(2n ** 63n), 2n ** 62n + 1n)),
  },
  { datatype: 'UINT8', typed: { uintContents: [0, 255] }, raw: Buffer.from([0, 255]) },
  { datatype: 'UINT16', typed: { uintContents: [1, 65535] }, raw: bytesOf(Uint16Array.of(1, 65535)) },
  {
    datatype: 'UINT32',
    typed: { uintContents: [1, 2 ** 32 - 1] },
    raw: bytesOf(Uint32Array.of(1, 2 ** 32 - 1)),
  },
  {
    datatype: 'UINT64',
    typed: { uint64Contents: ['1', '18446744073709551615'] },
    raw: bytesOf(BigUint64Array.of(1n, 2n ** 64n - 1n)),
  },
  { datatype: 'FP16', typed: null, raw: bytesOf(Uint16Array.of(0x3c00, 0xc000)) },
  { datatype: 'FP32', typed: { fp32Contents: [0.5, -1.5] }, raw: bytesOf(Float32Array.of(0.5, -1.5)) },
  { datatype: 'FP64', typed: { fp64Contents: [0.1, -1e300] }, raw: bytesOf(Float64Array.of(0.1, -1e300)) },
  {
    datatype: 'BYTES',
    typed: { bytesContents: [Buffer.from('grün'), Buffer.from('')] },
    raw: textBytes(['grün', '']),
  },
];
const modelOf = (datatype: Datatype): string => `of-${datatype.toLowerCase()}`;
const WHOLE = 'whole';

let root: string;
let worker: TestWorker;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sextant-datatypes-'));
  for (const { datatype } of SAMPLES)
    await putPlain(root, modelOf(datatype), 1, anIdentity(datatype, [-1, 2]));
  await putPlain(root, WHOLE, 1, anIdentity('FP32', [2, -1]));
  worker = await startTestWorker(root, { MODEL_AUTOCOMPLETE: 'true' });
});
afterAll(async () => {
  await worker.stop();
  await rm(root, { recursive: true });
});

interface Answer {
  outputs: { datatype: string; shape: number[] }[];
  rawOutputContents: Buffer[];
}
const infer = (modelName: string, input: object, raw?: Buffer): Promise<Answer> =>
  worker.call<Answer>(openInferenceService, 'ModelInfer', {
    modelName,
    inputs: [{ name: 'x', ...input }],
    ...(raw ? { rawInputContents: [raw] } : {}),
  });

describe('ModelInfer of every element type', () => {
  it.each(SAMPLES)('takes $datatype raw and typed, and gives it back', async ({ datatype, typed, raw }) => {
    const input = { datatype, shape: [1, 2] };
    const answers = [await infer(modelOf(datatype), input, raw)];
    if (typed) answers.push(await infer(modelOf(datatype), { ...input, contents: typed }));
    for (const { outputs, rawOutputContents } of answers) {
      expect(outputs).toMatchObject([{ datatype, shape: [1, 2] }]);
      expect(rawOutputContents).toEqual([raw]);
    }
  });

  it('answers a model that is not cut into rows in the shapes that each request has', async () => {
    for (const columns of [1, 3]) {
      const values = Float32Array.from({ length: 2 * columns }, (_, i) => i);
      const answer = await infer(WHOLE, { datatype: 'FP32', shape: [2, columns] }, bytesOf(values));
      expect(answer.outputs).toMatchObject([{ shape: [2, columns] }]);
      expect(answer.rawOutputContents).toEqual([bytesOf(values)]);
    }
  });

  it.each([
    [
      'a value beyond its type',
      'INT8',
      { contents: { intContents: [1, 128] } },
      'value 1 is 128, outside -128..127',
    ],
    [
      'values in the field of another type',
      'INT64',
      { contents: { intContents: [1, 2] } },
      'belong into field 3',
    ],
    ['too few values', 'FP32', { contents: { fp32Contents: [1] } }, 'needs 2 FP32 values'],
    [
      'typed values of a type that travels raw',
      'FP16',
      { contents: { fp32Contents: [1, 2] } },
      'raw_input_contents',
    ],
    [
      'texts that are not UTF-8',
      'BYTES',
      { contents: { bytesContents: [Buffer.from([0xff]), Buffer.from('')] } },
      'UTF-8',
    ],
    [
      'too few texts',
      'BYTES',
      { contents: { bytesContents: [Buffer.from('a')] } },
      '2 elements are wanted, 1 came',
    ],
  ] as const)('refuses %s', async (_, datatype, input, message) => {
    const refused = infer(modelOf(datatype), { datatype, shape: [1, 2], ...input });
    await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(refused).rejects.toThrow(`inputs[0].contents: `);
    await expect(refused).rejects.toThrow(message);
  });

  it.each([
    ['says it is longer than what is left', Buffer.from([9, 0, 0, 0, 65]), 'says it has 9 bytes, 1 are left'],
    ['has no whole length', Buffer.from([1, 0, 0]), 'no whole length'],
    ['is one too many', textBytes(['a', 'b', 'c']), 'bytes are left after 2 elements'],
  ])('refuses BYTES of which an element %s', async (_, raw, message) => {
    const refused = infer(modelOf('BYTES'), { datatype: 'BYTES', shape: [1, 2] }, raw);
    await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(refused).rejects.toThrow(`raw_input_contents[0]: BYTES of input "x": element`.slice(0, 40));
    await expect(refused).rejects.toThrow(message);
  });

  it.each([[[3, 1]], [[2]], [[2, -1]], [[2, 2 ** 52]]])(
    'refuses the shape %j for a model that declares [2, any]',
    async (shape) => {
      const refused = infer(WHOLE, { datatype: 'FP32', shape }, Buffer.alloc(8));
      await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    },
  );
});

describe('parameters of a request', () => {
  const ask = (parameters: object, over: object = {}): Promise<Answer> =>
    worker.call<Answer>(openInferenceService, 'ModelInfer', {
      modelName: modelOf('FP32'),
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], ...over }],
      rawInputContents: [Buffer.alloc(8)],
      parameters,
    });

  it('may be a priority and a timeout, and unknown ones', async () => {
    const parameters = {
      priority: { int64Param: 1 },
      timeout: { int64Param: 5_000_000 },
      whatever: { stringParam: 'x' },
    };
    await expect(ask(parameters)).resolves.toBeDefined();
  });

  it.each([
    ['parameters.priority', { priority: { int64Param: 4 } }, {}],
    ['parameters.timeout', { timeout: { stringParam: 'soon' } }, {}],
    ['parameters.sequence_id', { sequence_id: { int64Param: 7 } }, {}],
    [
      'inputs[0].parameters.shared_memory_region',
      {},
      { parameters: { shared_memory_region: { stringParam: 'r' } } },
    ],
  ])('are refused where %s asks what is not offered', async (path, parameters, over) => {
    const refused = ask(parameters, over);
    await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(refused).rejects.toThrow(path);
  });
});
