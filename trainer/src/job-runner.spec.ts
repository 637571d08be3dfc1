import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelDirectory } from '@sextant/artefacts';
import { type TrainingJob, TrainingJobs, ModelVersions } from '@sextant/model-registry';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobRunner } from './job-runner.js';
import { Publisher } from './publisher.js';

const LIMIT_MS = 20_000;

describe('JobRunner', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-jobs-'));
  let mongo: TestMongo;
  let client: MongoClient;
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => client.db().dropDatabase());

  /** A runner whose training process is the given program. */
  const aRunner = async (program: string, minutesLeft: number | null = null) => {
    const processPath = join(folder, 'training.mjs');
    writeFileSync(processPath, program);
    const jobs = new TrainingJobs(client.db());
    await jobs.ensureIndexes();
    const publisher = new Publisher(new ModelDirectory(folder), new ModelVersions(client.db()));
    const logger = pino({ level: 'silent' });
    const runner = new JobRunner(jobs, publisher, {
      pollMs: 20,
      processPath,
      logger,
      budget: { left: async () => (minutesLeft === null ? null : { minutes: minutesLeft, limit: 60 }) },
    });
    return { jobs, runner };
  };
  const until = async (jobs: TrainingJobs, id: string, holds: (job: TrainingJob) => boolean) => {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const job = await jobs.find('demo', id);
      if (job && holds(job)) return job;
      if (Date.now() > deadline) throw new Error(`not in time: ${JSON.stringify(job)}`);
      await sleep(20);
    }
  };
  /** What becomes of one job. */
  const outcomeOf = async (
    program: string,
    maxMinutes = 5,
    minutesLeft: number | null = null,
  ): Promise<TrainingJob> => {
    const { jobs, runner } = await aRunner(program, minutesLeft);
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'lead', maxMinutes });
    const running = runner.run();
    const job = await until(jobs, id, ({ state }) => state === 'FAILED' || state === 'SUCCEEDED');
    runner.stop();
    await running;
    return job;
  };

  it('hands the order over and passes the failure of the process on', async () => {
    const { failure } = await outcomeOf(
      `process.once('message', (order) => process.send({ kind: 'failed', code: 'DATA_INSUFFICIENT', message: JSON.stringify(order) }));`,
    );
    expect(failure).toEqual({
      code: 'DATA_INSUFFICIENT',
      message: JSON.stringify({ tenantId: 'demo', task: 'lead', seed: 42, dataFrom: null, dataTo: null }),
    });
  });

  it('keeps each step once in the log, and why it ended', async () => {
    const { log } = await outcomeOf(
      `process.once('message', () => {
        for (const [progress, step] of [[0, 'reading'], [0.2, 'fitting'], [0.4, 'fitting']]) process.send({ kind: 'progress', progress, step });
        process.send({ kind: 'failed', code: 'DATA_INSUFFICIENT', message: 'too few' });
      });`,
    );
    expect(log.map((line) => line.replace(/^\S+ /, ''))).toEqual(['reading', 'fitting', 'failed: too few']);
  });

  it('fails a job whose process dies without a word', async () => {
    const { state, failure } = await outcomeOf(`process.kill(process.pid, 'SIGSEGV');`);
    expect(state).toBe('FAILED');
    expect(failure).toMatchObject({
      code: 'TRAINING_FAILED',
      message: expect.stringContaining('SIGSEGV'),
    });
  });

  it('ends a process that takes longer than the job may', async () => {
    const pidFile = join(folder, 'pid');
    const { failure } = await outcomeOf(
      `import { writeFileSync } from 'node:fs';
       writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
       setInterval(() => undefined, 1_000);`,
      0.001,
    );
    expect(failure?.code).toBe('TRAINING_DEADLINE_EXCEEDED');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('does not begin a job of a tenant whose minutes are used, and ends one that uses them up', async () => {
    const forever = `setInterval(() => undefined, 1_000);`;
    const refused = await outcomeOf(forever, 5, 0);
    expect(refused.failure).toMatchObject({
      code: 'COMPUTE_BUDGET_EXHAUSTED',
      message: expect.stringContaining('60 training minutes') as string,
    });
    const ended = await outcomeOf(forever, 5, 0.001);
    expect(ended).toMatchObject({ state: 'FAILED', failure: { code: 'COMPUTE_BUDGET_EXHAUSTED' } });
  });

  it('gives the job in hand back when it is told to stop', async () => {
    const { jobs, runner } = await aRunner(
      `process.on('message', () => process.send({ kind: 'progress', progress: 0.5, step: 'half way' }));`,
    );
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'price' });
    const running = runner.run();
    await until(jobs, id, ({ step }) => step === 'half way');
    runner.stop();
    await running;
    expect(await jobs.find('demo', id)).toMatchObject({ state: 'QUEUED', failure: null });
  });
});
