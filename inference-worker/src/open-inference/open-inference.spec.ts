import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openInferenceService } from '@sextant/inference-protocol';
import { aRepository, publishLead, type TestRepository } from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';
import type { ModelMetadataResponse } from './infer-messages.js';

interface ModelInferResponse {
  modelVersion: string;
  id: string;
  outputs: { name: string; datatype: string; shape: number[] }[];
  rawOutputContents: Buffer[];
}

let repository: TestRepository;
let worker: TestWorker;

beforeAll(async () => {
  repository = await aRepository();
  await publishLead(repository.directory);
  worker = await startTestWorker(repository.directory.root, {
    INFERENCE_MAX_REQUEST_ROWS: '100',
    INFERENCE_MAX_MESSAGE_BYTES: '65536',
  });
});
afterAll(async () => {
  await worker.stop();
  await repository.remove();
});

const call = <Response>(method: string, request: object): Promise<Response> =>
  worker.call(openInferenceService, method, request);
const infer = (request: object): Promise<ModelInferResponse> =>
  call('ModelInfer', { modelName: 'demo.lead', ...request });

/** visits, [web], [mail], [other]; probability = sigmoid(visits + 2·[web] − [mail] − 1) */
const ROWS = Float32Array.of(1, 0, 0, 0, /**/ 0, 1, 0, 0);
const PROBABILITIES = [0.5, 1 / (1 + Math.exp(-1))];
const input = (over: object = {}): object => ({ name: 'features', datatype: 'FP32', shape: [2, 4], ...over });
const raw = (over: object = {}, bytes = Buffer.from(ROWS.buffer)): object => ({
  inputs: [input(over)],
  rawInputContents: [bytes],
});

function probabilities({ outputs, rawOutputContents }: ModelInferResponse): number[] {
  expect(outputs).toMatchObject([{ name: 'probability', datatype: 'FP32', shape: [2, 1] }]);
  const bytes = rawOutputContents[0] ?? Buffer.alloc(0);
  return [0, 1].map((row) => bytes.readFloatLE(4 * row));
}

describe('ModelInfer', () => {
  it('answers raw and typed contents alike, with the id of the request', async () => {
    const [fromRaw, fromTyped] = await Promise.all([
      infer({ id: 'q1', ...raw() }),
      infer({
        inputs: [input({ contents: { fp32Contents: [...ROWS] } })],
        outputs: [{ name: 'probability' }],
      }),
    ]);

    expect(fromRaw).toMatchObject({ id: 'q1', modelName: 'demo.lead', modelVersion: '1' });
    probabilities(fromRaw).forEach((value, i) =>
      expect(value).toBeCloseTo(PROBABILITIES[i] ?? Number.NaN, 6),
    );
    expect(probabilities(fromTyped)).toEqual(probabilities(fromRaw));
  });

  it.each([
    ['inputs[0].name', raw({ name: 'bogus' })],
    ['inputs', {}],
    [
      'inputs[1].name',
      { inputs: [input(), input()], rawInputContents: [Buffer.alloc(32), Buffer.alloc(32)] },
    ],
    ['inputs[0].datatype', raw({ datatype: 'INT32' })],
    ['inputs[0].shape', raw({ shape: [-1, 4] })],
    ['inputs[0].shape', raw({ shape: [0, 4] })],
    ['inputs[0].shape', raw({ shape: [2, 5] })],
    ['inputs[0].shape', raw({ shape: [8] })],
    ['raw_input_contents[0]', raw({}, Buffer.alloc(12))],
    ['raw_input_contents', { inputs: [input()], rawInputContents: [Buffer.alloc(32), Buffer.alloc(32)] }],
    ['inputs[0].contents', raw({ contents: { fp32Contents: [1] } })],
    ['inputs[0].contents', { inputs: [input()] }],
    ['inputs[0].contents', { inputs: [input({ contents: { fp64Contents: [...ROWS] } })] }],
    ['outputs[0].name', { ...raw(), outputs: [{ name: 'bogus' }] }],
    ['inputs', raw({ shape: [2 ** 40, 4] })],
    ['inputs', raw({ shape: [101, 4] }, Buffer.alloc(101 * 16))],
  ])('refuses a request that does not fit and names %s', async (field, request) => {
    await expect(infer(request)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(field) as string,
    });
  });

  it('takes as many rows as one request may have', async () => {
    const answer = await infer(raw({ shape: [100, 4] }, Buffer.alloc(100 * 16)));
    expect(answer.rawOutputContents[0]).toHaveLength(400);
  });

  it('refuses a message above the size limit and lives on', async () => {
    await expect(infer(raw({}, Buffer.alloc(100_000)))).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    await expect(infer(raw())).resolves.toBeDefined();
  });

  it('answers NOT_FOUND for a model or a version that is not served', async () => {
    await expect(infer({ ...raw(), modelName: 'nope' })).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(infer({ ...raw(), modelVersion: '2' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});

describe('metadata and readiness', () => {
  it('describes the server and the model', async () => {
    expect(await call('ServerLive', {})).toEqual({ live: true });
    expect(await call('ServerReady', {})).toEqual({ ready: true });
    expect(await call('ServerMetadata', {})).toMatchObject({
      name: 'sextant-inference-worker',
      version: '0.0.0',
    });
    const metadata = await call<ModelMetadataResponse>('ModelMetadata', { name: 'demo.lead', version: '1' });
    expect(metadata).toEqual({
      name: 'demo.lead',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 1] }],
      properties: { task: 'lead', trained_at: '2026-03-01T00:00:00Z', device: 'CPU' },
    });
  });

  it('tells served models from unknown ones', async () => {
    expect(await call('ModelReady', { name: 'demo.lead' })).toEqual({ ready: true });
    expect(await call('ModelReady', { name: 'demo.lead', version: '2' })).toEqual({ ready: false });
    expect(await call('ModelReady', { name: 'nope' })).toEqual({ ready: false });
    await expect(call('ModelMetadata', { name: 'nope' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});
