import type { ClaimedBatch } from '@sextant/batch-scoring';
import { readTrainerConfig } from '../config.js';
import { scoreBatch } from './score-batch.js';

/**
 * One batch job in a process of its own: reading and writing a million customers cannot silence the trainer, and the trainer's
 * death ends it. It stops at SIGTERM, and the job goes on elsewhere from its checkpoint.
 */
const stopping = new AbortController();
process.once('disconnect', () => stopping.abort());
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort());
process.once('message', (claimed: ClaimedBatch) => {
  scoreBatch(readTrainerConfig(process.env), claimed, stopping.signal)
    .then((end) => {
      process.send?.(end);
      process.exitCode = 0;
    })
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 1;
    })
    .finally(() => process.connected && process.disconnect());
});
