import { type TestMongo, startTestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrainingHistory } from './training-history.repository.js';
import { TrainingJobs } from './training-jobs.repository.js';

let mongo: TestMongo;
let client: MongoClient;
let now = Date.parse('2026-03-01T00:00:00Z');
const clock = { now: () => new Date(now) };
const MINUTE = 60_000;

beforeAll(async () => {
  mongo = await startTestMongo();
  client = new MongoClient(mongo.uri);
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

async function run(tenantId: string, minutes: number, end: 'succeed' | 'fail'): Promise<void> {
  const jobs = new TrainingJobs(client.db(), clock);
  await jobs.enqueue({ tenantId, task: 'lead' });
  const claimed = await jobs.claim(minutes * MINUTE + 1);
  if (!claimed) throw new Error('there is no job');
  now += minutes * MINUTE;
  if (end === 'succeed') await jobs.succeed(claimed.lease, `${tenantId}.lead@1`);
  else await jobs.fail(claimed.lease, { code: 'TRAINING_FAILED', message: 'no' });
}

describe('TrainingHistory', () => {
  const history = (): TrainingHistory => new TrainingHistory(client.db());

  it('knows nothing of a task that was never trained', async () => {
    expect(await history().latest('none', 'lead')).toEqual({ job: null, failedInARow: 0 });
    expect(await history().usedMinutes('none', clock.now())).toBe(0);
  });

  it('counts failures since the last success, by tenant', async () => {
    for (const end of ['fail', 'succeed', 'fail', 'fail'] as const) await run('a', 1, end);
    await run('other', 1, 'succeed');
    const { job, failedInARow } = await history().latest('a', 'lead');
    expect(failedInARow).toBe(2);
    expect(job?.state).toBe('FAILED');
    expect((await history().latest('a', 'churn')).job).toBeNull();
  });

  it('adds up the minutes of the last 24 hours, of a job that runs and of one that began before them', async () => {
    await run('b', 30, 'succeed');
    now += 23 * 60 * MINUTE;
    await run('b', 20, 'fail');
    const jobs = new TrainingJobs(client.db(), clock);
    await jobs.enqueue({ tenantId: 'b', task: 'price' });
    await jobs.claim(100 * MINUTE);
    now += 5 * MINUTE;
    expect(await history().usedMinutes('b', clock.now())).toBeCloseTo(30 + 20 + 5, 6);
    now += 20 * MINUTE; // 24 hours and 15 minutes after the first began
    expect(await history().usedMinutes('b', clock.now())).toBeCloseTo(15 + 20 + 25, 6);
  });
});
