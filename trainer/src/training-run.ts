import type { Manifest } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { ModelPolicies, modelVersionId, openModelRepository, TrainingMembers } from '@sextant/model-registry';
import { type Db, MongoClient } from 'mongodb';
import type { TrainerConfig } from './config.js';
import { measureVersion } from './measure-version.js';
import { PUBLISHING, type TrainedModel } from './publisher.js';
import { TrainingData } from './training-data.js';
import type { TrainingOrder, VersionFindings } from './training-messages.js';
import { TRAININGS } from './trainings.js';

/** Reading the events comes first and takes about this share of a run. */
const READING = 0.2;
const MEASURING = 0.99;
const STORE_TIMEOUT_MS = 5_000;

type OnProgress = (share: number, step: string) => void;

/**
 * One training run from the events in the store to a version in the model repository, with the customers it learnt from on
 * record, and what its gates say of it. The version is neither recorded nor live yet.
 *
 * @param onProgress  share of the work done, in [0, 1], and what is being done
 * @throws DomainError DATA_INSUFFICIENT, STORE_UNAVAILABLE, or what the task's own training throws
 */
export async function trainAndPublish(
  config: TrainerConfig,
  order: TrainingOrder,
  onProgress: OnProgress,
): Promise<{ manifest: Manifest; findings: VersionFindings }> {
  const client = new MongoClient(config.MONGODB_URI, { serverSelectionTimeoutMS: STORE_TIMEOUT_MS });
  try {
    await client.connect().catch((cause: unknown) => {
      throw new DomainError(
        'STORE_UNAVAILABLE',
        'the store cannot be reached: start Sextant with `npm start`, or check MONGODB_URI',
        { cause },
      );
    });
    const { trained, data } = await train(client.db(), { config, order, onProgress });
    onProgress(PUBLISHING, `writing the version: ${whoWasLearntFrom(data)}`);
    const published = await publish(config, trained, () => onProgress(MEASURING, 'measuring the gates'));
    const { manifest } = published;
    const versionId = modelVersionId(manifest.model, manifest.version);
    await new TrainingMembers(client.db()).record({ tenantId: order.tenantId, versionId }, data.customers);
    return published;
  } finally {
    await client.close();
  }
}

async function publish(
  config: TrainerConfig,
  trained: TrainedModel,
  onPublished: () => void,
): Promise<{ manifest: Manifest; findings: VersionFindings }> {
  const repository = await openModelRepository(config.MODEL_REPOSITORY);
  try {
    const manifest = await repository.publish(trained.draft, trained.files, trained.card);
    onPublished();
    return { manifest, findings: await measureVersion(repository, manifest, trained) };
  } finally {
    await repository.close();
  }
}

interface Run {
  config: TrainerConfig;
  order: TrainingOrder;
  onProgress: OnProgress;
}

async function train(db: Db, run: Run): Promise<{ trained: TrainedModel; data: TrainingData }> {
  const { tenantId, task, seed, dataFrom, dataTo } = run.order;
  const startedAt = new Date();
  const until = dataTo ? new Date(Math.min(Date.parse(dataTo), startedAt.getTime())) : startedAt;
  const onFitting = (share: number, step: string): void =>
    run.onProgress(READING + share * (PUBLISHING - READING), step);
  run.onProgress(0, 'reading events');
  const { protectedTraits } = await new ModelPolicies(db).find(tenantId, task);
  const from = dataFrom ? new Date(dataFrom) : null;
  const data = new TrainingData(db, tenantId, until, { from, protectedTraits });
  const { draft, ...rest } = await TRAININGS[task]({
    tenantId,
    data,
    options: { seed, now: until, onProgress: onFitting },
    lightGbm: () => lightGbmOf(run.config),
  });
  const period = { ...(from && { dataFrom: from.toISOString() }), dataTo: until.toISOString() };
  return {
    trained: { ...rest, draft: { ...draft, ...period, trainedAt: startedAt.toISOString() } },
    data,
  };
}

/** For the log of the run. */
function whoWasLearntFrom({ customers, leftOut }: TrainingData): string {
  const learnt = `learnt from ${customers.size} customers`;
  return leftOut === 0 ? learnt : `${learnt}; ${leftOut} may not be learnt from and were left out`;
}

/** The library's path; null where there is none, and the linear model is trained instead. */
async function lightGbmOf({ LIGHTGBM_LIBRARY }: TrainerConfig): Promise<string | null> {
  return findLightGbm({ env: { LIGHTGBM_LIBRARY }, cacheDir: CACHE_DIRECTORY }).catch(() => null);
}
