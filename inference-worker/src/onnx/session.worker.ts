// Entry of an inference thread: holds sessions and explainers, runs one job at a time.
import { parentPort, type Transferable } from 'node:worker_threads';
import type { Tensor } from '../tensors/tensor.js';
import { ModelSession } from './model-session.js';
import { failureText, NoProviderError, type Provider, type ProviderPlan } from './providers.js';
import { RowExplainer } from './row-explainer.js';
import type {
  Job,
  JobResult,
  LoadedModel,
  OpenedSession,
  ThreadAnswer,
  ThreadRequest,
} from './thread-messages.js';

/** The provider failed under a job and runs nothing any more. */
class ProviderGoneError extends Error {
  constructor(
    readonly provider: Provider,
    failure: string,
  ) {
    super(failure);
  }
}

interface Held {
  session: ModelSession | null;
  explainer: RowExplainer | null;
  opened: OpenedSession | null;
}

type Answer = ThreadAnswer extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;

const held = new Map<string, Held>();

async function load(model: LoadedModel, plan: ProviderPlan): Promise<OpenedSession | null> {
  const before = held.get(model.key);
  if (before) return before.opened;
  const startedAt = performance.now();
  const rss = process.memoryUsage.rss();
  const session = plan.providers.length === 0 ? null : await ModelSession.open(model, plan);
  try {
    const width = (session?.inputs ?? model.inputs)?.[0]?.width ?? 0;
    const explainer = model.explainer === null ? null : RowExplainer.open(model.explainer, width);
    const opened = session && {
      provider: session.provider,
      attempts: session.attempts,
      inputs: session.inputs,
      outputs: session.outputs,
      runs: session.runs,
      loadMs: performance.now() - startedAt,
      memoryBytes: Math.max(model.onnx.byteLength, process.memoryUsage.rss() - rss),
    };
    held.set(model.key, { session, explainer, opened });
    return opened;
  } catch (error) {
    await session?.release();
    throw error;
  }
}

async function run(job: Job): Promise<JobResult> {
  const model = held.get(job.key);
  const returned = buffersOf(job.inputs);
  if (job.program === 'explain') {
    if (!model?.explainer) throw new Error(`${job.key} has no explainer on this thread`);
    return { ...model.explainer.explain(job), returned };
  }
  if (!model?.session) throw new Error(`${job.key} is not loaded on this thread`);
  const { session } = model;
  try {
    return { ...(await session.run(job)), returned };
  } catch (error) {
    // A job that fails alone is the job's fault; a GPU that fails its warm-up run as well is gone.
    if (session.provider === 'cpu' || (await session.isAlive())) throw error;
    throw new ProviderGoneError(session.provider, failureText(error));
  }
}

async function unload(key: string): Promise<void> {
  const model = held.get(key);
  held.delete(key);
  await model?.session?.release();
}

async function answer(request: ThreadRequest): Promise<Answer> {
  switch (request.kind) {
    case 'load':
      return { opened: await load(request.model, request.plan) };
    case 'run':
      return { result: await run(request.job) };
    case 'unload':
      await unload(request.key);
      return { done: true };
    case 'stop':
      for (const key of [...held.keys()]) await unload(key);
      setImmediate(() => parentPort?.close());
      return { done: true };
  }
}

function answerFailure(error: unknown): Answer {
  if (error instanceof NoProviderError) return { refused: error.attempts };
  const failure = failureText(error);
  return error instanceof ProviderGoneError ? { failure, lost: error.provider } : { failure };
}

function buffersOf(tensors: readonly Tensor[]): ArrayBuffer[] {
  return tensors.flatMap(({ data }) => (Array.isArray(data) ? [] : [data.buffer]));
}

function transferOf(sent: Answer): Transferable[] {
  return 'result' in sent
    ? [...new Set([...buffersOf(sent.result.outputs), ...(sent.result.returned ?? [])])]
    : [];
}

parentPort?.on('message', (request: ThreadRequest) => {
  answer(request)
    .catch(answerFailure)
    .then((sent) => parentPort?.postMessage({ id: request.id, ...sent }, transferOf(sent)));
});
