import { ModelSession } from './model-session.js';
import { CPU_ONLY } from './providers.js';
import type { LoadedModel, OpenedSession } from './thread-messages.js';

/** Loading blocks the main thread for milliseconds; larger files are left to the threads. */
const MOST_BYTES = 1024 * 1024;

/**
 * A session on the main thread for a model that is so small that going to a thread and back costs more than its run, judged by
 * its warm-up on a thread: a single row must take at most half of what the main thread may be held up for.
 *
 * @param inlineMs  longest run that the main thread takes on
 * @returns null for a model that is better left to the threads
 */
export async function openInlineSession(
  model: LoadedModel,
  { provider, runs }: Pick<OpenedSession, 'provider' | 'runs'>,
  inlineMs: number,
): Promise<ModelSession | null> {
  const single = runs.find(({ rows }) => rows === 1);
  const isTiny =
    single !== undefined && single.computeMs <= inlineMs / 2 && model.onnx.byteLength <= MOST_BYTES;
  if (!isTiny || provider !== 'cpu') return null;
  const warmUpRows = runs.filter(({ computeMs }) => computeMs <= inlineMs).map(({ rows }) => rows);
  return ModelSession.open({ ...model, warmUpRows }, CPU_ONLY);
}
