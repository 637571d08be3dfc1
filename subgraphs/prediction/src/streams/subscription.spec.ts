import { type LoggedDecision, DecisionRepository } from '@sextant/decision-log';
import { Challenges, TrainingJobs } from '@sextant/model-registry';
import { ReportRepository } from '@sextant/monitoring';
import { BatchJobs } from '@sextant/batch-scoring';
import { told } from '@sextant/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction } from '../testing/prediction.fixture.js';
import { aStream } from '../testing/stream.fixture.js';

const TRAINING =
  'subscription($id: ID, $after: String){ trainingProgress(id: $id, after: $after){ cursor job { id state progress step } } }';

let prediction: Prediction;
beforeAll(async () => {
  prediction = await aPrediction();
});
afterAll(() => prediction.stop());

const subscribe = (
  query: string,
  variables: Record<string, unknown> = {},
  more: Parameters<typeof aStream>[2] = {},
) => aStream(prediction.subgraph.url, { query, variables }, more);

function aDecision(over: Partial<LoggedDecision>): LoggedDecision {
  return {
    ...{
      id: `dec_${crypto.randomUUID()}`,
      tenantId: 'demo',
      kind: 'lead',
      subject: 'cus_1',
      customerId: 'cus_1',
    },
    ...{ at: new Date(), modelVersion: 'demo.lead@1', rung: 'MODEL', fallbackReason: null, device: 'CPU' },
    ...{ repeats: null, input: {}, inputHash: 'x', output: { probability: 0.5 }, propensity: null },
    ...over,
  };
}

describe('trainingProgress', () => {
  it('tells how jobs of the tenant move on, and nothing of leases and other tenants', async () => {
    const jobs = new TrainingJobs(prediction.db);
    const all = await subscribe(TRAINING);
    await jobs.enqueue({ tenantId: 'other', task: 'churn' });
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
    const claims = [await jobs.claim(), await jobs.claim()];
    const claimed = claims.find((claim) => claim?.job.id === id);
    if (!claimed) throw new Error('the job was not claimed');
    await jobs.report(claimed.lease); // a lease that is renewed is no news
    await jobs.report(claimed.lease, { progress: 0.5, step: 'fit' });
    await jobs.cancel('demo', id);
    const events = await all.take(4);
    expect(events.map((event) => told(event, 'trainingProgress.job.id'))).toEqual([id, id, id, id]);
    expect(told(events.at(-1), 'trainingProgress.job')).toMatchObject({ state: 'CANCELLED', step: 'fit' });
    expect(events.map((event) => told(event, 'trainingProgress.cursor') === event.cursor)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    await all.leave();

    const again = await subscribe(TRAINING, { id, after: events[1]?.cursor });
    expect((await again.take(2)).map(({ cursor }) => cursor)).toEqual(
      events.slice(2).map(({ cursor }) => cursor),
    );
    await again.leave();
  });
});

describe('customerDecisions', () => {
  it('tells of one customer, in order, the kinds that the scopes allow', async () => {
    const decisions = new DecisionRepository(prediction.db);
    const query =
      'subscription { customerDecisions(customerId: "cus_1"){ cursor decision { id kind } customer { id } } }';
    const scopes = ['decision:read', 'lead:read'];
    const stream = await subscribe(query, {}, { identity: anIdentity({ scopes }) });
    const rows = [
      aDecision({ id: 'dec_1' }),
      aDecision({ id: 'dec_2', kind: 'churn' }),
      aDecision({ id: 'dec_3', customerId: 'cus_2' }),
      aDecision({ id: 'dec_4', tenantId: 'other' }),
      aDecision({ id: 'dec_5' }),
    ];
    for (const { input, ...row } of rows)
      await decisions.insertMany([{ ...row, inputJson: JSON.stringify(input) }]);
    const events = await stream.take(2);
    expect(events.map((event) => told(event, 'customerDecisions.decision.id'))).toEqual(['dec_1', 'dec_5']);
    expect(told(events[0], 'customerDecisions.customer')).toEqual({ id: 'cus_1' });
    await stream.leave();
  });
});

describe('the other subscriptions', () => {
  it('tell of batch jobs, alarms with findings, and readouts', async () => {
    const alarms = await subscribe(
      'subscription { driftAlarms(model: "lead"){ report { verdict findings { kind } version { id } } } }',
    );
    const readouts = await subscribe(
      'subscription { experimentReadouts { versionId challenge { judgement } } }',
    );
    const batches = await subscribe('subscription { batchProgress { job { task state progress } } }');
    const window = (hour: number) => ({
      from: new Date(hour * 3_600_000),
      to: new Date((hour + 1) * 3_600_000),
    });
    const report = {
      ...{
        tenantId: 'demo',
        model: 'demo.lead',
        version: 1,
        rowsSeen: 1,
        workers: 1,
        features: [],
        performance: null,
      },
      ...{ notes: [], verdict: 'drifting: one', createdAt: new Date(), retrainJobId: null },
    };
    const finding = {
      kind: 'SCORE_SHIFT',
      name: 'score',
      sentence: 's',
      statistic: 1,
      threshold: 0.1,
    } as const;
    const reports = new ReportRepository(prediction.db);
    await reports.insert({ ...report, window: window(1), findings: [] });
    await reports.insert({ ...report, model: 'demo.churn', window: window(2), findings: [finding] });
    await reports.insert({ ...report, window: window(3), findings: [finding] });
    await new Challenges(prediction.db).save({
      ...{ tenantId: 'demo', versionId: 'demo.lead@2', championId: 'demo.lead@1', outcomes: null },
      ...{ judgement: 'TOO_LITTLE', sentence: 'few', at: new Date() },
    });
    await new BatchJobs(prediction.db).enqueue({ tenantId: 'demo', task: 'lead' });
    expect((await alarms.take(1))[0]?.data).toEqual({
      driftAlarms: {
        report: { verdict: 'drifting: one', findings: [{ kind: 'SCORE_SHIFT' }], version: null },
      },
    });
    expect((await readouts.take(1))[0]?.data).toEqual({
      experimentReadouts: { versionId: 'demo.lead@2', challenge: { judgement: 'TOO_LITTLE' } },
    });
    expect(told((await batches.take(1))[0], 'batchProgress.job')).toEqual({
      task: 'lead',
      state: 'QUEUED',
      progress: 0,
    });
    await Promise.all([alarms, readouts, batches].map((stream) => stream.leave()));
  });
});

describe('POST /graphql/stream', () => {
  it('refuses what is not signed, what the scopes do not open, and a cursor that is none', async () => {
    const { url } = prediction.subgraph;
    const unsigned = await fetch(`${url}/stream`, {
      method: 'POST',
      body: JSON.stringify({ query: TRAINING }),
    });
    expect(unsigned.status).toBe(401);
    const refusals = [
      subscribe(TRAINING, {}, { identity: anIdentity({ scopes: ['decision:read'] }) }),
      subscribe(TRAINING, { after: 'nonsense' }),
      subscribe('subscription { trainingProgress { nothing } }'),
      subscribe('{ model(id: "lead") { id } }'),
    ];
    const codes = await Promise.all(
      refusals.map(async (refusal) => (await refusal).refusal?.extensions.code),
    );
    expect(codes).toEqual(['FORBIDDEN', 'INVALID_CURSOR', 'GRAPHQL_VALIDATION_FAILED', 'BAD_REQUEST']);
  });

  it('goes on by the cursor that the caller resumes with, in place of the argument', async () => {
    const jobs = new TrainingJobs(prediction.db);
    const first = await subscribe(TRAINING);
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'price' });
    await jobs.cancel('demo', id);
    const [event] = await first.take(1);
    await first.leave();
    const again = await subscribe(TRAINING, { after: null }, { resumeAfter: event?.cursor ?? '' });
    expect(told((await again.take(1))[0], 'trainingProgress.job')).toMatchObject({ id, state: 'CANCELLED' });
    await again.leave();
  });

  it('counts open streams, and lets go of one whose caller has left', async () => {
    const stream = await subscribe(TRAINING);
    const open = async () => /sextant_subgraph_streams_open (\d+)/.exec(await prediction.metrics())?.[1];
    expect(await open()).toBe('1');
    await stream.leave();
    await expect.poll(open, { timeout: 5_000 }).toBe('0');
  });
});
