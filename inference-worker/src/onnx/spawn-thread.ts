import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DomainError } from '@sextant/domain';

/** The compiled entry of an inference thread, also for a process that runs the TypeScript sources: they cannot run in a thread. */
export const THREAD_ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/onnx/session.worker.js', import.meta.url)
  : new URL('session.worker.js', import.meta.url);

/** @throws DomainError CONFIG_INVALID when the entry was not compiled */
export function spawnThread(): Worker {
  if (!existsSync(THREAD_ENTRY)) {
    const missing = fileURLToPath(THREAD_ENTRY);
    throw new DomainError(
      'CONFIG_INVALID',
      `${missing} is not there: inference threads run compiled code; run tsc -b inference-worker`,
    );
  }
  return new Worker(THREAD_ENTRY, { name: 'inference', execArgv: [] });
}
