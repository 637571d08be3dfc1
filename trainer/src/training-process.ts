import { DomainError } from '@sextant/domain';
import { readTrainerConfig } from './config.js';
import { trainAndPublish } from './training-run.js';
import type { TrainingMessage, TrainingOrder } from './training-messages.js';

/**
 * One training run in a process of its own: a fit that runs for minutes cannot silence the runner's heartbeat, and a crash
 * in native code costs this job only. It ends when its parent goes away.
 */
function tell(message: TrainingMessage): void {
  process.send?.(message);
}

process.once('disconnect', () => process.exit(1));
process.once('message', (order: TrainingOrder) => {
  trainAndPublish(readTrainerConfig(process.env), order, (progress, step) =>
    tell({ kind: 'progress', progress, step }),
  )
    .then(({ manifest: { model, version }, findings }) =>
      tell({ kind: 'published', model, version, findings }),
    )
    .catch((error: unknown) => {
      const known = error instanceof DomainError;
      if (!known)
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      tell({
        kind: 'failed',
        code: known ? error.code : 'TRAINING_FAILED',
        message: known ? error.message : 'the training failed; see the log of the trainer',
      });
    });
});
