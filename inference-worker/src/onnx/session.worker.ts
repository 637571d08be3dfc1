// Entry of an inference thread: holds sessions and what decides with them, runs one job at a time.
import { parentPort, type Transferable } from 'node:worker_threads';
import { collectGarbage } from './collect-garbage.js';
import { DecisionModel } from '../decisions/programs/decision-model.js';
import type { HourCounts } from '../monitoring/hour-counts.js';
import type { Tensor } from '../tensors/tensor.js';
import { ModelSession } from './model-session.js';
import { failureText, NoProviderError, type Provider, type ProviderPlan } from './providers.js';
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
  session: ModelSession;
  decisions: DecisionModel | null;
  opened: OpenedSession;
}

type Answer = ThreadAnswer extends infer Each ? (Each extends unknown ? Omit<Each, 'id'> : never) : never;

const held = new Map<string, Held>();

async function load(model: LoadedModel, plan: ProviderPlan): Promise<OpenedSession> {
  const before = held.get(model.key);
  if (before) return before.opened;
  const startedAt = performance.now();
  const rss = process.memoryUsage.rss();
  const session = await ModelSession.open(model, plan);
  try {
    const decisions = await openDecisions(model, session);
    const opened = {
      provider: session.provider,
      attempts: session.attempts,
      inputs: session.inputs,
      outputs: session.outputs,
      runs: session.runs,
      loadMs: performance.now() - startedAt,
      memoryBytes: Math.max(model.onnx.byteLength, process.memoryUsage.rss() - rss),
    };
    held.set(model.key, { session, decisions, opened });
    return opened;
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function openDecisions(
  { decisions, explainer }: LoadedModel,
  session: ModelSession,
): Promise<DecisionModel | null> {
  if (!decisions) return null;
  const isOnCpu = session.provider === 'cpu';
  return DecisionModel.open(decisions, explainer, {
    inputs: session.inputs,
    isOnCpu,
    run: (request) => session.run(request),
  });
}

async function run(job: Job): Promise<JobResult> {
  const model = held.get(job.key);
  const returned = buffersOf(job.inputs);
  if (!model) throw new Error(`${job.key} is not loaded on this thread`);
  const { session, decisions } = model;
  try {
    if (job.program === 'score') return { ...(await session.run(job)), returned };
    if (!decisions) throw new Error(`${job.key} has no decisions on this thread`);
    return { ...(await decisions.answer(job)), returned };
  } catch (error) {
    // A job that fails alone is the job's fault; a GPU that fails its warm-up run as well is gone.
    if (session.provider === 'cpu' || (await session.isAlive())) throw error;
    throw new ProviderGoneError(session.provider, failureText(error));
  }
}

/** @returns what was counted of it since the last time */
async function unload(key: string): Promise<HourCounts[]> {
  const model = held.get(key);
  held.delete(key);
  await model?.session.release();
  return model?.decisions?.takeCounts(key) ?? [];
}

function takeCounts(): HourCounts[] {
  return [...held].flatMap(([key, { decisions }]) => decisions?.takeCounts(key) ?? []);
}

async function answer(request: ThreadRequest): Promise<Answer> {
  switch (request.kind) {
    case 'load':
      return { opened: await load(request.model, request.plan) };
    case 'run':
      return { result: await run(request.job) };
    case 'count':
      return { done: true, counts: takeCounts() };
    case 'unload': {
      const counts = await unload(request.key);
      collectGarbage();
      return { done: true, counts };
    }
    case 'stop': {
      const counts = takeCounts();
      for (const key of [...held.keys()]) await unload(key);
      setImmediate(() => parentPort?.close());
      return { done: true, counts };
    }
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
  if ('result' in sent)
    return [...new Set([...buffersOf(sent.result.outputs), ...(sent.result.returned ?? [])])];
  return 'counts' in sent ? (sent.counts ?? []).map(({ sketch }) => sketch.buffer) : [];
}

parentPort?.on('message', (request: ThreadRequest) => {
  answer(request)
    .catch(answerFailure)
    .then((sent) => parentPort?.postMessage({ id: request.id, ...sent }, transferOf(sent)));
});
