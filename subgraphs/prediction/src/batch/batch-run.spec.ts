import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDirectory } from '@sextant/artefacts';
import {
  BatchJobs,
  BatchRun,
  type BatchSettings,
  CustomerScores,
  DEFAULT_BATCH_SETTINGS,
} from '@sextant/batch-scoring';
import { DomainError, systemClock } from '@sextant/domain';
import { DAY_MS, emptyState, FeatureStore } from '@sextant/features';
import {
  createDecisionsClient,
  type DecisionsClient,
  readFloat64,
  type ScoreLeadsRequest,
} from '@sextant/inference-protocol';
import { ModelLifecycle, ModelVersions } from '@sextant/model-registry';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/prediction.fixture.js';
import { FixtureWorker } from '../testing/worker.fixture.js';

const CUSTOMERS = 250;
const MODEL = 'demo.churn';
const idOf = (i: number): string => `cus_${String(i).padStart(4, '0')}`;

describe('one run of a batch job', () => {
  let mongo: TestMongo;
  let store: MongoClient;
  let worker: FixtureWorker;
  let client: DecisionsClient;
  let root: string;
  let models: ModelDirectory;
  beforeAll(async () => {
    mongo = await startTestMongo();
    store = await new MongoClient(mongo.uri).connect();
    await Promise.all([jobsOf().ensureIndexes(), new CustomerScores(store.db()).ensureIndexes()]);
    const now = Date.now();
    const states = Array.from({ length: CUSTOMERS }, (_, i) => ({
      ...emptyState(idOf(i)),
      lastActiveAt: now - (i % 90) * DAY_MS,
    }));
    const entries = states.map((state) => ({ state, revision: 0 }));
    await new FeatureStore(store.db()).save('demo', entries, new Date());
  });
  afterAll(async () => {
    await store.close();
    await mongo.stop();
  });
  beforeEach(async () => {
    const db = store.db();
    for (const name of ['batch_jobs', 'customer_scores', 'model_stages'])
      await db.collection(name).deleteMany({});
    root = await mkdtemp(join(tmpdir(), 'sextant-batch-'));
    models = new ModelDirectory(root);
    worker = new FixtureWorker();
    await worker.start();
    client = createDecisionsClient({ address: worker.address });
  });
  afterEach(async () => {
    await client.close();
    worker.die();
    await rm(root, { recursive: true, force: true });
  });

  const jobsOf = () => new BatchJobs(store.db());
  const job = async (id: string) => jobsOf().find('demo', id);

  async function start(settings: Partial<BatchSettings> = {}) {
    const jobs = jobsOf();
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'churn' });
    const claimed = await jobs.claim();
    if (!claimed) throw new Error('nothing was queued');
    const db = store.db();
    const parts = {
      ...{ jobs, models, client, clock: systemClock },
      scores: new CustomerScores(db),
      customers: new FeatureStore(db),
      lifecycle: new ModelLifecycle(models, new ModelVersions(db)),
    };
    const quick = { ...DEFAULT_BATCH_SETTINGS, pageRows: 40, checkpointMs: 20, ...settings };
    const run = new BatchRun(parts, claimed, quick);
    return { id, run, ended: run.run() };
  }

  it('scores everybody by the live version, with low priority, and only by what the model reads', async () => {
    const version = await publishLive(models);
    const { id, ended } = await start();
    expect(await ended).toBe('SUCCEEDED');
    expect(await job(id)).toMatchObject({
      ...{ state: 'SUCCEEDED', scored: CUSTOMERS, customers: CUSTOMERS, failures: {}, note: null },
      modelVersionId: `${MODEL}@${version}`,
    });
    expect(await new CustomerScores(store.db()).count('demo', 'churn')).toBe(CUSTOMERS);
    const requests = worker.requests as ScoreLeadsRequest[];
    for (const { version: asked, rows } of requests) {
      expect(asked).toBe(String(version));
      expect(rows?.numeric.map(({ name }) => name)).toEqual(['recency.days']);
    }
    for (const metadata of worker.metadata) expect(metadata['sextant-priority']).toBe('low');
  });

  it('leaves a worker that is full alone for as long as it asks, and goes on then', async () => {
    await publishLive(models);
    worker.refusal = new DomainError('QUEUE_FULL', 'the queue is full', { retryAfterMs: 300 });
    const { id, ended } = await start();
    await until(
      async () => worker.calls.length,
      (calls) => calls > 0,
      5_000,
    );
    const [from, asked] = [performance.now(), worker.calls.length];
    await until(
      async () => worker.calls.length,
      (calls) => calls > asked + 6,
      10_000,
    );
    expect(performance.now() - from).toBeGreaterThan(250);
    worker.refusal = null;
    expect(await ended).toBe('SUCCEEDED');
    expect(await job(id)).toMatchObject({ scored: CUSTOMERS });
  });

  it('waits while no worker is there, fails when patience ends, and resumes where it was', async () => {
    await publishLive(models);
    worker.die();
    const first = await start({ patienceMs: 150 });
    expect(await first.ended).toBe('FAILED');
    expect(await job(first.id)).toMatchObject({ failure: { code: 'INFERENCE_UNAVAILABLE' }, scored: 0 });
    expect(await jobsOf().resume('demo', first.id)).toMatchObject({ state: 'QUEUED', failure: null });
    const second = await start();
    expect(second.id).toBe(first.id);
    await worker.start();
    expect(await second.ended).toBe('SUCCEEDED');
    expect(await job(first.id)).toMatchObject({ scored: CUSTOMERS, state: 'SUCCEEDED' });
  });

  it('counts rows that the worker refuses by their code, and scores all others', async () => {
    await publishLive(models);
    const refused = new DomainError('INVALID_INPUT', 'a row is bad');
    worker.judge = (request) => {
      const [days] = (request as ScoreLeadsRequest).rows?.numeric ?? [];
      const values = [...readFloat64(days?.values ?? Buffer.alloc(0))];
      return values.some((value) => Math.floor(value) === 33) ? refused : null;
    };
    const { id, ended } = await start();
    expect(await ended).toBe('SUCCEEDED');
    expect(await job(id)).toMatchObject({
      ...{ scored: CUSTOMERS - 3, failures: { INVALID_INPUT: 3 } },
      failedExamples: [idOf(33), idOf(123), idOf(213)],
    });
  });

  it.each<[DomainError, string]>([
    [new DomainError('MODEL_VERSION_NOT_FOUND', 'there is no such version'), 'MODEL_VERSION_NOT_FOUND'],
    [new DomainError('MODEL_NOT_FOUND', 'there is no such model'), 'MODEL_NOT_FOUND'],
  ])('fails at once for what no row is to blame for: %s', async (refusal, code) => {
    await publishLive(models);
    worker.refusal = refusal;
    const { id, ended } = await start();
    expect(await ended).toBe('FAILED');
    expect(await job(id)).toMatchObject({ state: 'FAILED', failure: { code, message: refusal.message } });
  });

  it('fails where no version is live, and says what to do', async () => {
    const { id, ended } = await start();
    expect(await ended).toBe('FAILED');
    const failed = await job(id);
    expect(failed?.failure).toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(failed?.failure?.message).toContain('train churn first');
  });

  it('ends without a further write when the job is cancelled', async () => {
    await publishLive(models);
    worker.delayMs = 50;
    const { id, ended } = await start({ concurrency: 1 });
    await until(
      async () => (await job(id))?.scored ?? 0,
      (scored) => scored > 0,
      10_000,
    );
    await jobsOf().cancel('demo', id);
    expect(await ended).toBe('LOST');
    const cancelled = await job(id);
    expect(cancelled?.state).toBe('CANCELLED');
    expect(cancelled?.scored).toBeLessThan(CUSTOMERS);
  });
});

/** A model that reads `recency.days` alone; the fixture worker has its own arithmetic, so that the file is never opened. */
async function publishLive(models: ModelDirectory): Promise<number> {
  const days = { kind: 'numeric' as const, column: 'recency.days', fill: 0, transform: 'none' as const };
  const columns = [{ ...days, mean: 0, scale: 1, missingIndicator: false }];
  const spec = {
    ...{ task: 'churn' as const, family: 'logistic' as const, explainFile: 'explain.json', horizonDays: 30 },
    table: { columns, features: ['recency.days'], standardised: false },
    ...{ bands: { warm: 0.3, hot: 0.6 }, quantiles: new Array<number>(101).fill(0), reliability: [] },
  };
  const tensor = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 1] });
  const onnx = { opset: 21, inputs: [tensor('features')], outputs: [tensor('probability')] };
  const draft = {
    ...{ model: MODEL, tenantId: 'demo', trainedAt: '2026-03-01T00:00:00Z', seed: 1, onnx, spec },
    ...{ dataSha256: '0'.repeat(64), dataRows: 0, metrics: {}, baselineMetrics: {}, warmUpBatchSizes: [1] },
  };
  const card = {
    ...{ purpose: 'test', trainingData: 'none', features: [], chosenBecause: 'written by hand' },
    ...{ metrics: {}, baselineMetrics: {}, limitations: ['a test model'], warnings: [] },
  };
  const files = new Map([['model.onnx', Buffer.from('never opened')]]);
  const { version } = await models.publish(draft, files, card);
  await models.setLiveVersion(MODEL, version);
  return version;
}
