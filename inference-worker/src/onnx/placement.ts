import {
  CPU_ONLY,
  gpuProviders,
  NoProviderError,
  type ProviderAttempt,
  type ProviderPlan,
} from './providers.js';
import type { SessionThread } from './session-thread.js';
import type { LoadedModel, OpenedSession } from './thread-messages.js';

/** Where a model of the pool is held. */
export interface Placement {
  model: LoadedModel;
  plan: ProviderPlan;
  /** the threads that must hold it, also before every one of them does */
  home: 'cpu' | 'gpu';
  /** false while it is opened or moves */
  isReady: boolean;
  opened: OpenedSession | null;
  /** why it can run nowhere */
  failure: Error | null;
}

/** Opens a model on the first GPU provider of the plan that can. @throws NoProviderError */
export function loadOnGpu(
  thread: SessionThread,
  model: LoadedModel,
  plan: ProviderPlan,
): Promise<OpenedSession> {
  const { gpuOnnx, ...rest } = model;
  // The GPU's form goes alone: a thread needs one file.
  const sent = { ...rest, onnx: gpuOnnx ?? model.onnx, explainer: null };
  return thread.load(sent, { ...plan, providers: gpuProviders(plan) });
}

/** A session on the CPU, and what decides and explains with it. @throws NoProviderError with the failures of the providers before, too */
export async function openCpuSession(
  thread: SessionThread,
  model: LoadedModel,
  attempts: readonly ProviderAttempt[],
): Promise<OpenedSession> {
  const { gpuOnnx: _unused, ...sent } = model;
  try {
    return await thread.load(sent, CPU_ONLY);
  } catch (error) {
    if (!(error instanceof NoProviderError)) throw error;
    throw new NoProviderError([...attempts, ...error.attempts]);
  }
}
