import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelDirectory } from '@sextant/artefacts';
import {
  type Gate,
  GATE_NAMES,
  MAX_ATTEMPTS,
  ModelLifecycle,
  ModelVersions,
  type TrainingJob,
  TrainingJobs,
} from '@sextant/model-registry';
import { aCard, aDraft } from '@sextant/model-registry/testing';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const LIMIT_MS = 20_000;
const MODEL = 'demo.lead';
const PASSED: Gate[] = GATE_NAMES.map((name) => ({ name, required: 'r', observed: 'o', passed: true }));

describe('a trainer that is killed', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let folder: string;
  const running = new Set<ChildProcess>();
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(async () => {
    await client.db().dropDatabase();
    folder = mkdtempSync(join(tmpdir(), 'sextant-death-'));
    // Programs written there import the packages as built.
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
  });
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A trainer in a process of its own; it dies by its own hand `at` a point of its publisher, or works on. */
  const aTrainer = (training: string, at = 'never'): ChildProcess => {
    const processPath = join(folder, 'training.mjs');
    writeFileSync(processPath, training);
    const program = `
      import { ModelDirectory } from '@sextant/artefacts';
      import { ModelVersions, TrainingJobs } from '@sextant/model-registry';
      import { MongoClient } from 'mongodb';
      import { pino } from 'pino';
      import { JobRunner } from '${join(import.meta.dirname, '../dist/job-runner.js')}';
      import { Publisher } from '${join(import.meta.dirname, '../dist/publisher.js')}';
      const { uri, folder, processPath, at } = JSON.parse(process.argv[2]);
      const die = () => new Promise(() => process.kill(process.pid, 'SIGKILL'));
      class Mortal extends Publisher {
        async register(published) {
          if (at === 'before it is recorded') await die();
          return super.register(published);
        }
        async rollOut(...version) {
          if (at === 'before it is live') await die();
          const publication = await super.rollOut(...version);
          if (at === 'after it is live') await die();
          return publication;
        }
      }
      const db = (await new MongoClient(uri).connect()).db();
      const jobs = new TrainingJobs(db);
      await jobs.ensureIndexes();
      const publisher = new Mortal(new ModelDirectory(folder), new ModelVersions(db));
      await new JobRunner(jobs, publisher, { pollMs: 20, processPath, logger: pino({ level: 'silent' }) }).run();`;
    const order = JSON.stringify({ uri: mongo.uri, folder, processPath, at });
    const programPath = join(folder, 'trainer.mjs');
    writeFileSync(programPath, program);
    const child = spawn(process.execPath, [programPath, order], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    running.add(child);
    return child;
  };
  const registry = () => {
    const repository = new ModelDirectory(folder);
    const versions = new ModelVersions(client.db());
    const jobs = new TrainingJobs(client.db());
    return { repository, versions, jobs, lifecycle: new ModelLifecycle(repository, versions) };
  };
  const until = async (id: string, holds: (job: TrainingJob) => boolean): Promise<TrainingJob> => {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const job = await registry().jobs.find('demo', id);
      if (job && holds(job)) return job;
      if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify(job)}`);
      await sleep(20);
    }
  };
  /** What half a minute without a sign of life does. */
  const letLeaseRunOut = (): Promise<unknown> =>
    client
      .db()
      .collection('training_jobs')
      .updateMany({ state: 'RUNNING' }, { $set: { leaseUntil: new Date(0) } });
  /** A model that serves already, so that there is something to lose. */
  const somethingLive = async (): Promise<void> => {
    const { repository, lifecycle } = registry();
    const files = new Map([['model.onnx', Buffer.from('first')]]);
    const manifest = await repository.publish(aDraft(MODEL), files, aCard());
    const findings = { gates: PASSED, origin: 'TRAINED', by: 'trainer' } as const;
    const { id } = await lifecycle.register(manifest, aCard(), findings);
    await lifecycle.promote({ tenantId: 'demo', versionId: id, to: 'LIVE', by: 'test' });
  };
  const state = async () => {
    const { repository, versions } = registry();
    const listed = await versions.list('demo', MODEL, 10);
    return {
      pointer: (await repository.readEntry(MODEL)).live,
      stages: Object.fromEntries(listed.map(({ version, stage }) => [version, stage])),
    };
  };
  const findings = JSON.stringify({ gates: PASSED, importance: {}, fairness: [] });
  /** Publishes for real, as a training process does, and says so; counts how often it ran. */
  const publishing = (): string => `
    import { appendFileSync } from 'node:fs';
    import { ModelDirectory } from '@sextant/artefacts';
    process.once('disconnect', () => process.exit(1));
    process.once('message', async () => {
      appendFileSync(${JSON.stringify(join(folder, 'runs'))}, 'x');
      const files = new Map([['model.onnx', Buffer.from('next ' + process.pid)]]);
      const { model, version } = await new ModelDirectory(${JSON.stringify(folder)}).publish(
        ${JSON.stringify(aDraft(MODEL))}, files, ${JSON.stringify(aCard())});
      process.send({ kind: 'published', model, version, findings: ${findings} });
    });`;
  const STUCK = `
    import { writeFileSync } from 'node:fs';
    process.once('disconnect', () => process.exit(1));
    process.on('message', () => {
      writeFileSync(new URL('./pid', import.meta.url), String(process.pid));
      process.send({ kind: 'progress', progress: 0.5, step: 'half way' });
      setInterval(() => undefined, 1_000);
    });`;

  it('in the middle of a training takes that process with it; the next one trains anew and goes live', async () => {
    await somethingLive();
    const { id } = await registry().jobs.enqueue({ tenantId: 'demo', task: 'lead' });
    const doomed = aTrainer(STUCK);
    await until(id, ({ step }) => step === 'half way');
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    await ends(pid);
    expect(await state()).toEqual({ pointer: 1, stages: { 1: 'LIVE' } });

    await letLeaseRunOut();
    aTrainer(publishing());
    expect(await until(id, ({ state: of }) => of === 'SUCCEEDED')).toMatchObject({
      attempts: 2,
      modelVersionId: 'demo.lead@2',
    });
    expect(await state()).toEqual({ pointer: 2, stages: { 1: 'RETIRED', 2: 'LIVE' } });
  });

  it('over and over fails the job with its reason, and what is live stays', async () => {
    await somethingLive();
    const { id } = await registry().jobs.enqueue({ tenantId: 'demo', task: 'lead' });
    // Two trainers before died like the one here.
    await client
      .db()
      .collection('training_jobs')
      .updateMany({}, { $set: { attempts: MAX_ATTEMPTS - 1 } });
    const doomed = aTrainer(STUCK);
    await until(id, ({ step }) => step === 'half way');
    doomed.kill('SIGKILL');
    await once(doomed, 'exit');
    await letLeaseRunOut();
    aTrainer(STUCK);
    const { failure } = await until(id, ({ state: of }) => of === 'FAILED');
    expect(failure?.code).toBe('TRAINER_LOST');
    expect(await state()).toEqual({ pointer: 1, stages: { 1: 'LIVE' } });
  });

  it('once its version is published but not recorded leaves nothing half done; the next one trains anew', async () => {
    await somethingLive();
    const { id } = await registry().jobs.enqueue({ tenantId: 'demo', task: 'lead' });
    await once(aTrainer(publishing(), 'before it is recorded'), 'exit');
    expect(await state()).toEqual({ pointer: 1, stages: { 1: 'LIVE' } });

    await letLeaseRunOut();
    aTrainer(publishing());
    await until(id, ({ state: of }) => of === 'SUCCEEDED');
    expect(await state()).toEqual({ pointer: 3, stages: { 1: 'RETIRED', 3: 'LIVE' } });
  });

  it.each(['before it is live', 'after it is live'])(
    '%s leaves its version to the next one, which does not train again',
    async (point) => {
      await somethingLive();
      const { id } = await registry().jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      await once(aTrainer(publishing(), point), 'exit');
      const isLive = point === 'after it is live';
      expect((await state()).pointer).toBe(isLive ? 2 : 1);
      expect((await registry().jobs.find('demo', id))?.state).toBe('RUNNING');

      await letLeaseRunOut();
      aTrainer(publishing());
      await until(id, ({ state: of }) => of === 'SUCCEEDED');
      expect(await state()).toEqual({ pointer: 2, stages: { 1: 'RETIRED', 2: 'LIVE' } });
      expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('x');
    },
  );

  it('is outlived by a second one beside it: each job is done once', async () => {
    const jobs = registry().jobs;
    await jobs.ensureIndexes();
    const ids = await Promise.all(
      ['a', 'b', 'c', 'd'].map((key) =>
        jobs.enqueue({ tenantId: 'demo', task: 'lead', idempotencyKey: key }),
      ),
    );
    aTrainer(publishing());
    aTrainer(publishing());
    for (const { id } of ids) await until(id, ({ state: of }) => of === 'SUCCEEDED');
    const { pointer, stages } = await state();
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('xxxx');
    expect(Object.values(stages).filter((stage) => stage === 'LIVE')).toHaveLength(1);
    expect(stages[pointer ?? 0]).toBe('LIVE');
  });

  it('by a cancellation: the training ends and nothing goes live', async () => {
    await somethingLive();
    const { jobs } = registry();
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
    aTrainer(STUCK);
    await until(id, ({ step }) => step === 'half way');
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(await jobs.cancel('demo', id)).toBe(true);
    await ends(pid);
    expect(await jobs.find('demo', id)).toMatchObject({ state: 'CANCELLED', modelVersionId: null });
    expect(await state()).toEqual({ pointer: 1, stages: { 1: 'LIVE' } });
  });
});

async function ends(pid: number): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    if (Date.now() > deadline) throw new Error(`process ${pid} lives on`);
    await sleep(20);
  }
}
