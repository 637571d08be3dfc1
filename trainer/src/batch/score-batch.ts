import { BatchJobs, BatchRun, type ClaimedBatch, CustomerScores } from '@sextant/batch-scoring';
import { systemClock } from '@sextant/domain';
import { FeatureStore } from '@sextant/features';
import { createDecisionsClient } from '@sextant/inference-protocol';
import { ModelLifecycle, ModelVersions, openModelRepository } from '@sextant/model-registry';
import { MongoClient } from 'mongodb';
import type { TrainerConfig } from '../config.js';

/**
 * Works on one claimed job until it ends or `signal` aborts; then the job goes back to the queue with its checkpoint.
 *
 * @returns what became of it, for the log
 */
export async function scoreBatch(
  config: TrainerConfig,
  claimed: ClaimedBatch,
  signal: AbortSignal,
): Promise<string> {
  const store = new MongoClient(config.MONGODB_URI);
  const client = createDecisionsClient({ address: config.INFERENCE_URL, watchHealth: true });
  const models = await openModelRepository(config.MODEL_REPOSITORY);
  const db = store.db();
  const jobs = new BatchJobs(db);
  try {
    const parts = {
      ...{ jobs, models, client, clock: systemClock },
      scores: new CustomerScores(db),
      customers: new FeatureStore(db),
      lifecycle: new ModelLifecycle(models, new ModelVersions(db)),
    };
    const run = new BatchRun(parts, withInstants(claimed));
    signal.addEventListener('abort', () => run.stop(), { once: true });
    if (signal.aborted) run.stop();
    const end = await run.run();
    if (end === 'LOST' && signal.aborted) await jobs.release(claimed.lease, { isOrderly: true });
    return end;
  } finally {
    await Promise.all([client.close(), models.close(), store.close()]);
  }
}

/** The instant that a run reads became a text on its way between the processes. */
function withInstants(claimed: ClaimedBatch): ClaimedBatch {
  const { asOf } = claimed.job;
  return { ...claimed, job: { ...claimed.job, asOf: asOf === null ? null : new Date(asOf) } };
}
