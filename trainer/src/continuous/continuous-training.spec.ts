import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ManifestDraft, ModelDirectory } from '@sextant/artefacts';
import { EVENTS_COLLECTION } from '@sextant/features';
import {
  defaultPolicy,
  type Gate,
  ModelLifecycle,
  type ModelPolicy,
  ModelVersions,
  type Stage,
  TrainingJobs,
} from '@sextant/model-registry';
import {
  MINUTE_MS,
  NO_SHADOW,
  ReportRepository,
  TrafficRepository,
  type TrafficSlot,
} from '@sextant/monitoring';
import { aCard, aDraft } from '@sextant/model-registry/testing';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrainerMetrics } from '../trainer-metrics.js';
import { continuousTraining } from './start-continuous.js';

const MODEL = 'demo.lead';
const HOUR = 3_600_000;
const PASSED: Gate = { name: 'calibration', required: 'at most 0.05', observed: '0.01', passed: true };
const CARD = aCard();

describe('continuous training over a real store and repository', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let db: Db;
  let root: string;
  let now = Date.parse('2026-03-01T00:00:30Z');
  const clock = { now: () => new Date(now) };

  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
    db = client.db();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(async () => {
    await db.dropDatabase();
    root = await mkdtemp(join(tmpdir(), 'sextant-continuous-'));
    return () => rm(root, { recursive: true, force: true });
  });

  const start = async (policy: Partial<ModelPolicy> = {}) => {
    const repository = new ModelDirectory(root);
    const versions = new ModelVersions(db, clock);
    const jobs = new TrainingJobs(db, clock);
    await Promise.all([versions.ensureIndexes(), jobs.ensureIndexes()]);
    await versions.policies.save({ ...defaultPolicy('demo', 'lead'), ...policy });
    const metrics = new TrainerMetrics(async () => new Map());
    const config = {
      INFERENCE_URL: '127.0.0.1:1',
      CONTINUOUS_ROUND_MS: 100,
      CONTINUOUS_COOLDOWN_MINUTES: 60,
      MODEL_KEEP_DAYS: 30,
    };
    const logger = pino({ level: 'silent' });
    const aTrainer = () =>
      continuousTraining({ db, repository, versions, jobs, metrics, config, logger, clock });
    return { repository, versions, jobs, metrics, aTrainer, trainer: await aTrainer() };
  };
  type Started = Awaited<ReturnType<typeof start>>;

  const publish = async (
    { repository, versions }: Started,
    { stage, gates = [PASSED] }: { stage?: Stage; gates?: Gate[] } = {},
  ): Promise<string> => {
    const lifecycle = new ModelLifecycle(repository, versions, clock);
    const manifest = await repository.publish(
      draft(clock.now()),
      new Map([['model.onnx', Buffer.from('m')]]),
      CARD,
    );
    const { id } = await lifecycle.register(manifest, CARD, { gates, origin: 'TRAINED', by: 'test' });
    if (stage) await lifecycle.promote({ tenantId: 'demo', versionId: id, to: stage, by: 'test' });
    return id;
  };
  const stages = async ({ versions }: Started): Promise<string[]> =>
    (await versions.list('demo', MODEL, 10)).toReversed().map(({ stage }) => stage);

  const served = async (slots: Partial<TrafficSlot>[]): Promise<void> => {
    await new TrafficRepository(db).record(
      slots.map((slot) => ({
        ...{ tenantId: 'demo', model: MODEL, version: 1, minute: clock.now(), worker: 'w1', role: 'live' },
        ...{ calls: 0, failures: 0, rejected: 0, batches: 0, rows: 0, computeMs: 0, shadow: NO_SHADOW },
        latency: { boundsMs: [1, 2, 5, 10, 50], counts: [0, 0, 0, 0, 0, 0], sumMs: 0 },
        ...slot,
      })),
    );
  };
  const calls = (version: number, counts: number[], role: TrafficSlot['role']): Partial<TrafficSlot> => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const latency = { boundsMs: [1, 2, 5, 10, 50], counts, sumMs: total };
    const computeMs = counts.reduce((sum, count, i) => sum + count * (i + 1) ** 2, 0) / 4;
    return { version, role, calls: total, batches: total, rows: total, computeMs, latency };
  };

  const STAGED = {
    mode: 'GATED' as const,
    shadowMinutes: 10,
    shadowShare: 0.5,
    canaryMinutes: 20,
    canaryShare: 0.05,
  };

  it('brings a version through shadow and canary into service, each step with its reason', async () => {
    const started = await start({ rollout: STAGED });
    await publish(started, { stage: 'LIVE' });
    const id = await publish(started);
    await started.trainer.round();
    expect(await stages(started)).toEqual(['LIVE', 'SHADOW']);
    expect((await started.repository.readEntry(MODEL)).serving.shadow).toEqual({ version: 2, share: 0.5 });

    const shadow = { ...NO_SHADOW, runs: 500, values: 500 };
    await served([
      calls(1, [900, 100, 0, 0, 0, 0], 'live'),
      { version: 2, role: 'shadow', shadow, batches: 500, rows: 500, computeMs: 150 },
    ]);
    now += 10 * MINUTE_MS - 1;
    await started.trainer.round();
    expect(await stages(started)).toEqual(['LIVE', 'SHADOW']);
    now += 1;
    await started.trainer.round();
    expect(await stages(started)).toEqual(['LIVE', 'CANARY']);

    await served([calls(1, [900, 100, 0, 0, 0, 0], 'live'), calls(2, [270, 30, 0, 0, 0, 0], 'canary')]);
    now += 20 * MINUTE_MS;
    await started.trainer.round();
    expect(await stages(started)).toEqual(['RETIRED', 'LIVE']);
    const { history } = await started.versions.get('demo', id);
    expect(history.map(({ to, by }) => [to, by])).toEqual([
      ['CANDIDATE', 'test'],
      ['SHADOW', 'continuous training'],
      ['CANARY', 'continuous training'],
      ['LIVE', 'continuous training'],
    ]);
    expect(history.at(-1)?.reason).toMatch(/20 minutes as CANARY: 300 answers, 0 failures/);
    const page = await started.metrics.registry.metrics();
    expect(page).toContain('sextant_continuous_moves_total{stage="LIVE"} 1');
  });

  it.each([
    ['slower', [0, 0, 0, 0, 300, 0], 0],
    ['failing', [240, 0, 0, 0, 0, 0], 60],
  ])(
    'stops a canary that is %s, with the reason, and leaves the live one alone',
    async (reason, counts, failures) => {
      const started = await start({ rollout: { ...STAGED, mode: 'MANUAL' } });
      await publish(started, { stage: 'LIVE' });
      const id = await publish(started, { stage: 'CANARY' });
      const own = calls(2, counts, 'canary');
      await served([
        calls(1, [900, 100, 0, 0, 0, 0], 'live'),
        { ...own, calls: (own.calls ?? 0) + failures, failures },
      ]);
      await started.trainer.round();
      expect(await stages(started)).toEqual(['LIVE', 'RETIRED']);
      const { history } = await started.versions.get('demo', id);
      expect(history.at(-1)).toMatchObject({
        by: 'continuous training',
        reason: expect.stringContaining(reason) as string,
      });
      const { live, serving } = await started.repository.readEntry(MODEL);
      expect({ live, canary: serving.canary }).toEqual({ live: 1, canary: undefined });
      expect(await db.collection('model_challenges').findOne()).toMatchObject({
        judgement: 'STOP',
        tenantId: 'demo',
      });
    },
  );

  it('moves no version whose gates failed, and puts the first one live', async () => {
    const started = await start({ rollout: STAGED });
    await publish(started, { gates: [{ ...PASSED, passed: false }] });
    await started.trainer.round();
    expect(await stages(started)).toEqual(['CANDIDATE']);
    await publish(started);
    await started.trainer.round();
    expect(await stages(started)).toEqual(['CANDIDATE', 'LIVE']);
  });

  it('asks for one training a trigger, with two trainers at once and again and again', async () => {
    const retrain = { everyHours: 24, onDrift: true, onPerformance: false, onNewEvents: null };
    const started = await start({ retrain });
    await publish(started, { stage: 'LIVE' });
    now += 2 * HOUR;
    const reports = new ReportRepository(db);
    const window = { from: new Date(now - 2 * HOUR), to: new Date(now - HOUR) };
    const sentence = 'traits.country has moved: PSI 0.4 against 0.2.';
    await reports.insert({
      ...{
        tenantId: 'demo',
        model: MODEL,
        version: 1,
        window,
        rowsSeen: 900,
        features: [],
        performance: null,
      },
      ...{ workers: 1, notes: [] },
      findings: [{ kind: 'FEATURE_SHIFT', name: 'traits.country', sentence, statistic: 0.4, threshold: 0.2 }],
      ...{ verdict: 'drifting', createdAt: clock.now(), retrainJobId: null },
    } as Parameters<ReportRepository['insert']>[0]);
    const others = await Promise.all([started.aTrainer(), started.aTrainer()]);
    const led = await Promise.all([started.trainer, ...others].map((trainer) => trainer.round()));
    expect(led.filter(Boolean)).toHaveLength(1);
    for (let round = 0; round < 7; round += 1) await started.trainer.round();
    const jobs = await started.jobs.list('demo', 10);
    expect(jobs).toHaveLength(1);
    expect(jobs[0]?.notes).toContain(`DRIFT: ${sentence}`);
    expect((await reports.findLatest({ tenantId: 'demo', model: MODEL, version: 1 }))?.retrainJobId).toBe(
      jobs[0]?.id,
    );

    // It failed: nothing is asked for the same window again, and the schedule waits for its own time.
    const claimed = await started.jobs.claim();
    if (claimed) await started.jobs.fail(claimed.lease, { code: 'TRAINING_FAILED', message: 'no' });
    now += 3 * HOUR;
    for (let round = 0; round < 4; round += 1) await started.trainer.round();
    expect(await started.jobs.list('demo', 10)).toHaveLength(1);
    now += 24 * HOUR;
    for (let round = 0; round < 4; round += 1) await started.trainer.round();
    expect((await started.jobs.list('demo', 10)).map(({ notes }) => notes?.split(':')[0])).toEqual([
      'SCHEDULE',
      'DRIFT',
    ]);
  });

  it('counts the events since the last training, those of the past that came late included', async () => {
    const started = await start({
      retrain: { everyHours: null, onDrift: false, onPerformance: false, onNewEvents: 100 },
    });
    await publish(started, { stage: 'LIVE' });
    const events = (count: number, from: number, at: number): Promise<unknown> =>
      db.collection<{ _id: string; tenantId: string; at: Date }>(EVENTS_COLLECTION).insertMany(
        Array.from({ length: count }, (_, i) => ({
          _id: `demo:${from + i}`,
          tenantId: 'demo',
          at: new Date(at),
        })),
      );
    await events(500, 0, now - 10 * HOUR);
    now += 2 * HOUR;
    await started.trainer.round();
    await events(99, 1_000, now - 9 * HOUR);
    now += 2 * MINUTE_MS;
    for (let round = 0; round < 3; round += 1) await started.trainer.round();
    expect(await started.jobs.list('demo', 10)).toHaveLength(0);
    await events(1, 2_000, now);
    now += 2 * MINUTE_MS;
    for (let round = 0; round < 3; round += 1) await started.trainer.round();
    expect((await started.jobs.list('demo', 10)).map(({ notes }) => notes?.split(':')[0])).toEqual([
      'VOLUME',
    ]);
  });

  it('retires a live model that nobody reads, and removes files by the keep rule', async () => {
    const started = await start({ retireUnreadDays: 20 });
    for (let version = 1; version <= 6; version += 1) await publish(started, { stage: 'LIVE' });
    await db.collection('decisions').insertOne({
      tenantId: 'demo',
      modelVersion: `${MODEL}@6`,
      at: clock.now(),
    });
    now += 19 * 24 * HOUR;
    await started.trainer.round();
    expect((await stages(started)).at(-1)).toBe('LIVE');
    now += 24 * HOUR;
    await (await started.aTrainer()).round();
    now += 31_000;
    await (await started.aTrainer()).round();
    expect((await stages(started)).at(-1)).toBe('RETIRED');
    expect(await started.repository.listVersions(MODEL)).toEqual([1, 2, 3, 4, 5, 6]);
    now += 15 * 24 * HOUR;
    await (await started.aTrainer()).round();
    expect(await started.repository.listVersions(MODEL)).toEqual([4, 5, 6]);
  });

  it('says which training waits, and for what', async () => {
    const started = await start({
      retrain: { everyHours: 1, onDrift: false, onPerformance: false, onNewEvents: null },
      computeMinutesPerDay: 10,
    });
    await started.jobs.enqueue({ tenantId: 'demo', task: 'price' });
    await started.jobs.claim();
    now += 11 * MINUTE_MS;
    await started.trainer.round();
    expect(await started.jobs.list('demo', 10)).toHaveLength(1);
    expect(await db.collection('continuous_states').findOne()).toMatchObject({
      held: { trigger: 'SCHEDULE', heldBy: 'budget' },
    });
    expect(await started.metrics.registry.metrics()).toContain(
      'sextant_training_budget_used_minutes{tenant="demo"} 11',
    );
  });
});

function draft(trainedAt: Date): ManifestDraft {
  return aDraft(MODEL, {
    trainedAt: trainedAt.toISOString(),
    onnx: {
      opset: 20,
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 1] }],
      outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 1] }],
    },
    spec: {
      task: 'lead',
      table: { columns: [], features: ['x'], standardised: false },
      family: 'logistic',
      explainFile: null,
      bands: { warm: 0.3, hot: 0.7 },
      quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
      reliability: [],
      horizonDays: 30,
    },
  });
}
