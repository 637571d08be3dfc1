import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type BatchJob, BatchJobs, processedOf } from '@sextant/batch-scoring';
import { FeatureStore, scoreInput } from '@sextant/features';
import { createDecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MODEL, publishChurn, saveCustomers, TENANT } from './batch-customers.js';
import { until } from './until.js';
import { aRepository, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const TRAINER = fileURLToPath(new URL('../../trainer/dist/main.js', import.meta.url));
const SCORING = fileURLToPath(new URL('../../trainer/dist/batch/batch-process.js', import.meta.url));
const CUSTOMERS = 50_000;
const KILLS = 4;
const END_MS = 100_000;
/** Documents that no fold wrote. */
const BROKEN = ['cus_0broken', 'cus_7broken', 'cus_fbroken'];

let mongo: TestMongo;
let store: MongoClient;
let db: Db;
let ids: string[];
let repository: TestRepository;
let worker: WorkerProcess;
let version: number;
let env: Record<string, string>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  mongo = await startTestMongo();
  store = await new MongoClient(mongo.uri).connect();
  db = store.db();
  ids = await saveCustomers(db, CUSTOMERS);
  await db
    .collection<{ _id: string }>('customer_features')
    .insertMany(BROKEN.map((_id, i) => ({ _id, tenantId: TENANT, state: i === 0 ? null : { counters: 7 } })));
  repository = await aRepository();
  version = await publishChurn(repository.directory);
  await repository.directory.setLiveVersion(MODEL, version);
  worker = await startWorkerProcess(repository.root, {
    ...{ INFERENCE_MAX_REQUEST_ROWS: '1200', INFERENCE_QUEUE_ROWS: '1200' },
  });
  env = { MONGODB_URI: mongo.uri, MODEL_REPOSITORY: repository.root, INFERENCE_URL: worker.address };
});
beforeEach(async () => {
  await db.collection('customer_scores').deleteMany({});
  await db.collection('batch_jobs').deleteMany({});
  await jobsOf().ensureIndexes();
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});
afterAll(async () => {
  await worker?.kill();
  await repository?.remove();
  await store?.close();
  await mongo?.stop();
});

const jobsOf = () => new BatchJobs(db);
const written = () => db.collection('customer_scores').countDocuments();
const found = async (id: string): Promise<BatchJob> => {
  const job = await jobsOf().find(TENANT, id);
  if (!job) throw new Error(`${id} is gone`);
  return job;
};

function started(child: ChildProcess): ChildProcess {
  children.push(child);
  return child;
}

function trainer(): ChildProcess {
  const own = { ...process.env, ...env, METRICS_PORT: '0', TRAINER_POLL_MS: '50' };
  return started(spawn(process.execPath, [TRAINER, 'work'], { env: own, stdio: 'ignore' }));
}

/** The scoring process alone, with the next job, as the trainer starts it. */
async function scoring() {
  const claimed = await jobsOf().claim();
  if (!claimed) throw new Error('there was no job');
  const child = started(fork(SCORING, { env: { ...process.env, ...env }, execArgv: [] }));
  const exited = once(child, 'exit');
  child.send(claimed);
  return { child, exited, lease: claimed.lease, processed: processedOf(claimed.job) };
}

async function expectEverybodyOnce(job: BatchJob): Promise<void> {
  expect(job).toMatchObject({
    state: 'SUCCEEDED',
    scored: CUSTOMERS,
    failures: { FEATURE_VECTOR_MISMATCH: BROKEN.length },
    modelVersionId: `${MODEL}@${version}`,
    customers: CUSTOMERS + BROKEN.length,
  });
  expect(job.failedExamples.toSorted()).toEqual(BROKEN.toSorted());
  const documents = await db.collection('customer_scores').find({}).toArray();
  expect(documents).toHaveLength(CUSTOMERS);
  expect(documents.map(({ customerId }) => customerId).toSorted()).toEqual(ids.toSorted());
  expect(new Set(documents.map(({ jobId }) => jobId))).toEqual(new Set([job.id]));
}

/** The largest difference to calls of one row each, asked as the graph asks, as of the job's instant. */
async function differenceToSingle(job: BatchJob, sample: readonly string[]): Promise<number> {
  const client = createDecisionsClient({ address: worker.address });
  const states = await new FeatureStore(db).get(TENANT, sample);
  const documents = await db
    .collection('customer_scores')
    .find({ customerId: { $in: [...sample] } })
    .toArray();
  const differences = documents.map(async ({ customerId, score, basis, band }) => {
    const state = states.get(customerId)?.state;
    if (!state || !job.asOf) throw new Error(`${customerId} has no state`);
    const input = scoreInput('churn', state, job.asOf);
    const rows = toFeatureTable([input.features]);
    const { scores } = await client.scoreLeads({ model: MODEL, rows }, { deadlineMs: 10_000 });
    expect([basis, band]).toEqual([input.basis, scores[0]?.band]);
    return Math.abs((scores[0]?.probability ?? Number.NaN) - Number(score));
  });
  const largest = Math.max(...(await Promise.all(differences)));
  await client.close();
  return largest;
}

describe('scoring all customers', () => {
  it(`is killed ${KILLS} times in the middle and scores everybody exactly once, as single scoring does`, async () => {
    const jobs = jobsOf();
    const { id } = await jobs.enqueue({ tenantId: TENANT, task: 'churn' });
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const before = await written();
      const { child, exited, lease, processed } = await scoring();
      // A job whose processes die three times at the same customers is given up: the third one gets to a checkpoint.
      await until('customers to be scored', END_MS, async () =>
        kill % 3 === 0 ? processedOf(await found(id)) > processed : (await written()) > before,
      );
      child.kill('SIGKILL');
      expect(await exited).toEqual([null, 'SIGKILL']);
      expect((await found(id)).state).toBe('RUNNING');
      expect(await jobs.claim()).toBeNull();
      await jobs.release(lease, { isOrderly: false });
    }
    const { asOf } = await found(id);
    const { exited } = await scoring();
    expect(await exited).toEqual([0, null]);
    const job = await found(id);
    expect(job.asOf).toEqual(asOf);
    await expectEverybodyOnce(job);
    const sample = ids.filter((_, i) => i % 200 === 0);
    expect(await differenceToSingle(job, sample)).toBeLessThanOrEqual(1e-6);
  });

  it('goes on under another trainer when the one at work is killed, and removes who is no longer there', async () => {
    const gone = { tenantId: TENANT, task: 'churn', customerId: 'cus_gone', asOf: new Date(0), score: 1 };
    await db
      .collection<{ _id: string }>('customer_scores')
      .insertOne({ _id: `${TENANT} churn cus_gone`, ...gone });
    const first = trainer();
    const { id } = await jobsOf().enqueue({ tenantId: TENANT, task: 'churn' });
    await until('a part to be done', END_MS, async () => processedOf(await found(id)) > CUSTOMERS / 10);
    first.kill('SIGKILL');
    await once(first, 'exit');
    trainer();
    const ended = await until('the job to end', END_MS, async () => {
      const job = await found(id);
      return job.finishedAt ? job : null;
    });
    await expectEverybodyOnce(ended);
  });

  it('stops when it is cancelled, goes on when it is resumed, and says that another version went live', async () => {
    const jobs = jobsOf();
    trainer();
    const { id } = await jobs.enqueue({ tenantId: TENANT, task: 'churn' });
    await until('a part to be done', END_MS, async () => processedOf(await found(id)) > 0);
    expect(await jobs.cancel(TENANT, id)).toBe(true);
    const cancelled = await found(id);
    expect(cancelled.state).toBe('CANCELLED');
    expect(processedOf(cancelled)).toBeLessThan(CUSTOMERS);

    const next = await publishChurn(repository.directory, 1);
    await repository.directory.setLiveVersion(MODEL, next);
    const kept = async () => (await repository.directory.readEntry(MODEL)).serving.versions;
    await until('the version to be let go', END_MS, async () => (await kept()).length === 0);
    await jobs.resume(TENANT, id);
    const ended = await until('the job to end', END_MS, async () => {
      const job = await found(id);
      return job.finishedAt ? job : null;
    });
    await repository.directory.setLiveVersion(MODEL, version);
    await expectEverybodyOnce(ended);
    expect(ended.note).toContain(`${MODEL}@${next} is live since`);
  });
});
