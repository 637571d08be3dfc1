// Entry of a worker thread. It must import no sibling at run time: the tests start this file as TypeScript.
import { parentPort, type Transferable } from 'node:worker_threads';
import type { LoadedModel, Job, JobResult, ThreadAnswer, ThreadRequest } from './thread-messages.js';
import type { Datatype, Tensor as RowTensor, TensorArray, TensorSpec } from '../tensors/tensor.js';
import { type Explainer, parseExplainer } from '@sextant/learning/explain';
import { InferenceSession, Tensor } from 'onnxruntime-node';

interface HeldModel {
  session: InferenceSession;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  explainer: Explainer | null;
}

const ORT_TYPES: Record<Datatype, Tensor.Type> = {
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  INT64: 'int64',
  INT32: 'int32',
  INT16: 'int16',
  INT8: 'int8',
  UINT64: 'uint64',
  UINT32: 'uint32',
  UINT16: 'uint16',
  UINT8: 'uint8',
  BOOL: 'bool',
  BYTES: 'string',
};
const held = new Map<string, HeldModel>();
const NOTHING: JobResult = { outputs: [], computeMs: 0 };

async function load(model: LoadedModel): Promise<JobResult> {
  if (held.has(model.key)) return NOTHING;
  const session = await InferenceSession.create(model.onnx, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  try {
    const explainer = model.explainer === null ? null : parseExplainer(model.explainer);
    const candidate = { session, inputs: model.inputs, outputs: model.outputs, explainer };
    assertNames(session.inputNames, model.inputs, 'input');
    assertNames(session.outputNames, model.outputs, 'output');
    for (const rows of model.warmUpRows) await warmUp(candidate, model.key, rows);
    // The first explanation builds the tables that the others look up: never while a caller waits.
    explainer?.explainRows(new Float32Array(model.inputs[0]?.width ?? 0), 1);
    held.set(model.key, candidate);
  } catch (error) {
    await session.release();
    throw error;
  }
  return NOTHING;
}

function assertNames(actual: readonly string[], wanted: readonly TensorSpec[], role: string): void {
  const names = wanted.map((tensor) => tensor.name);
  if (actual.length !== names.length || names.some((name) => !actual.includes(name))) {
    throw new Error(`the graph's ${role}s are ${actual.join(', ')}, the manifest's are ${names.join(', ')}`);
  }
}

async function warmUp(model: HeldModel, key: string, rows: number): Promise<void> {
  const zeros = (spec: TensorSpec): RowTensor => ({ data: zeroData(spec), dims: [rows, ...spec.rowShape] });
  const zeroData = (spec: TensorSpec): TensorArray => {
    const elements = rows * spec.width;
    if (spec.datatype === 'FP32') return new Float32Array(elements);
    if (spec.datatype === 'FP64') return new Float64Array(elements);
    if (spec.datatype === 'INT64') return new BigInt64Array(elements);
    return spec.datatype === 'INT32' ? new Int32Array(elements) : new Uint8Array(elements);
  };
  await score(model, { key, program: 'score', rows, inputs: model.inputs.map(zeros) });
}

async function score(model: HeldModel, job: Job): Promise<JobResult> {
  const feeds: Record<string, Tensor> = {};
  model.inputs.forEach(({ name, datatype }, i) => {
    const { data, dims } = job.inputs[i] as RowTensor;
    feeds[name] = new Tensor(ORT_TYPES[datatype], data as Float32Array, dims);
  });
  const startedAt = performance.now();
  const answers = await model.session.run(feeds);
  const computeMs = performance.now() - startedAt;
  const outputs = model.outputs.map((spec) => {
    const data = answers[spec.name]?.data as TensorArray | undefined;
    const type = answers[spec.name]?.type;
    if (data?.length !== job.rows * spec.width || type !== ORT_TYPES[spec.datatype]) {
      throw new Error(
        `output "${spec.name}" is ${type} with ${data?.length} values, the manifest says ${spec.datatype} with ${job.rows * spec.width}`,
      );
    }
    return { data: data.slice(), dims: [job.rows, ...spec.rowShape] };
  });
  return { outputs, computeMs };
}

function explain(model: HeldModel, job: Job): JobResult {
  const features = job.inputs[0]?.data;
  if (!model.explainer || !(features instanceof Float32Array))
    throw new Error(`${job.key} cannot be explained`);
  const startedAt = performance.now();
  const columns = model.explainer.columns.length + 1;
  const table = new Float64Array(job.rows * columns);
  for (const [row, { baseValue, contributions }] of model.explainer
    .explainRows(features, job.rows)
    .entries()) {
    table[row * columns] = baseValue;
    table.set(contributions, row * columns + 1);
  }
  return { outputs: [{ data: table, dims: [job.rows, columns] }], computeMs: performance.now() - startedAt };
}

async function answer(request: ThreadRequest): Promise<JobResult> {
  switch (request.kind) {
    case 'load':
      return load(request.model);
    case 'run': {
      const model = held.get(request.job.key);
      if (!model) throw new Error(`${request.job.key} is not loaded on this thread`);
      return request.job.program === 'explain' ? explain(model, request.job) : score(model, request.job);
    }
    case 'unload':
      await held.get(request.key)?.session.release();
      held.delete(request.key);
      return NOTHING;
    case 'stop':
      for (const { session } of held.values()) await session.release();
      held.clear();
      setImmediate(() => parentPort?.close());
      return NOTHING;
  }
}

parentPort?.on('message', (request: ThreadRequest) => {
  answer(request).then(
    (result) => {
      const buffers: Transferable[] = result.outputs.flatMap(({ data }) =>
        Array.isArray(data) ? [] : [data.buffer],
      );
      parentPort?.postMessage({ id: request.id, result } satisfies ThreadAnswer, buffers);
    },
    (error: unknown) => {
      const failure = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ id: request.id, failure } satisfies ThreadAnswer);
    },
  );
});
