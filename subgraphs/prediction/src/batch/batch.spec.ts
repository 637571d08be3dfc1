import { BatchJobs, CustomerScores, type ScoredCustomer } from '@sextant/batch-scoring';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aPrediction, anIdentity, type Prediction } from '../testing/prediction.fixture.js';

const ASK =
  'mutation ($task: String!, $key: String) { scoreCustomers(input: { task: $task, idempotencyKey: $key }) { id task state progress customers scored failed asOf } }';
const JOB = `query ($id: ID!) { batchJob(id: $id) {
  state progress etaSeconds customersPerSecond asOf customers scored failed failures { code customers } failedExamples note failure { code }
} }`;
const TOP = `query ($task: String!, $first: Int, $after: String) { topCustomers(task: $task, first: $first, after: $after) {
  nodes { customer { id } task probability percentile band basis jobId asOf } endCursor hasNextPage
} }`;
const ENTITIES = `query ($ids: [_Any!]!, $task: String!) { _entities(representations: $ids) { ... on Customer {
  id batchScore(task: $task) { probability band customer { id } }
} } }`;
const AS_OF = new Date('2026-04-01T00:00:00Z');
const other = anIdentity({ tenantId: 'other' });
const scored = (customerId: string, score: number): ScoredCustomer => ({
  ...{ customerId, score, percentile: 100 * score, basis: 'BEHAVIOUR' as const },
  band: score >= 0.5 ? 'HIGH' : 'LOW',
});

describe('batch scoring on the graph', () => {
  let prediction: Prediction;
  let jobs: BatchJobs;
  let scores: CustomerScores;
  beforeAll(async () => {
    prediction = await aPrediction();
    jobs = new BatchJobs(prediction.db);
    scores = new CustomerScores(prediction.db);
  });
  afterAll(() => prediction.stop());
  beforeEach(async () => {
    await prediction.db.collection('batch_jobs').deleteMany({});
    await prediction.db.collection('customer_scores').deleteMany({});
  });

  const order = async (task = 'churn', key: string | null = null) =>
    (await prediction.ask(ASK, { task, key })).data.scoreCustomers;
  const follow = async (id: string) => (await prediction.ask(JOB, { id })).data.batchJob;
  const save = (rows: ScoredCustomer[], asOf = AS_OF, tenantId = 'demo') =>
    scores.save(
      { tenantId, task: 'churn', modelVersionId: 'demo.churn@7', jobId: `bat_${asOf.getTime()}`, asOf },
      rows,
    );

  it('queues a job, the same one for the same key and while one of the task is open', async () => {
    const first = await order('churn', 'monday');
    expect(first).toMatchObject({ task: 'churn', state: 'QUEUED', progress: 0, customers: null, asOf: null });
    expect((await order('churn', 'monday')).id).toBe(first.id);
    expect((await order('churn', 'tuesday')).id).toBe(first.id);
    expect((await order('churn')).id).toBe(first.id);
    expect((await order('purchase')).id).not.toBe(first.id);
    const { errors } = await prediction.ask(ASK, { task: 'lead', key: 'monday' });
    expect(errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('refuses a task that has no probability of a customer, and names those that have', async () => {
    const { errors } = await prediction.ask(ASK, { task: 'price', key: null });
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
    expect(errors?.[0]?.message).toContain('lead, churn, purchase');
  });

  it('tells how far a job is, at which rate, and who could not be scored', async () => {
    const { id } = await order();
    const claimed = await jobs.claim();
    if (!claimed) throw new Error('nothing was queued');
    await jobs.plan(claimed.lease, { asOf: AS_OF, modelVersionId: 'demo.churn@7', customers: 1_000 });
    await jobs.checkpoint(claimed.lease, {
      ...{ cursor: 'cus_5', scored: 240, activeMs: 500, failedExamples: ['cus_3'] },
      failures: new Map([['FEATURE_VECTOR_MISMATCH', 10]]),
    });
    await jobs.remark(claimed.lease, 'a word');
    expect(await follow(id)).toEqual({
      ...{ state: 'RUNNING', progress: 0.25, etaSeconds: 2, customersPerSecond: 500, customers: 1_000 },
      ...{ asOf: AS_OF.toISOString(), scored: 240, failed: 10, failedExamples: ['cus_3'], note: 'a word' },
      failures: [{ code: 'FEATURE_VECTOR_MISMATCH', customers: 10 }],
      failure: null,
    });
    await jobs.fail(claimed.lease, { code: 'INFERENCE_UNAVAILABLE', message: 'nobody was there' });
    expect(await follow(id)).toMatchObject({ state: 'FAILED', failure: { code: 'INFERENCE_UNAVAILABLE' } });
    expect((await prediction.ask(JOB, { id }, other)).data.batchJob).toBeNull();
  });

  it('cancels a job and resumes it from its checkpoint, once', async () => {
    const { id } = await order();
    const change = async (name: string, as = anIdentity()) =>
      (await prediction.ask(`mutation ($id: ID!) { ${name}(id: $id) { state } }`, { id }, as)).data[name];
    expect(await change('cancelBatch', other)).toBeNull();
    expect(await change('resumeBatch')).toEqual({ state: 'QUEUED' });
    const claimed = await jobs.claim();
    expect(await change('cancelBatch')).toEqual({ state: 'CANCELLED' });
    expect(claimed && (await jobs.checkpoint(claimed.lease, null))).toBe(false);
    expect(await change('resumeBatch')).toEqual({ state: 'QUEUED' });
    await change('cancelBatch');
    await order();
    expect(await change('resumeBatch')).toEqual({ state: 'CANCELLED' });
  });

  it('gives up a job that kills its process again and again at the same customers', async () => {
    const { id } = await order();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const claimed = await jobs.claim();
      if (!claimed) throw new Error(`no attempt ${attempt}`);
      await jobs.release(claimed.lease, { isOrderly: false });
    }
    expect(await jobs.claim()).toBeNull();
    expect(await follow(id)).toMatchObject({ state: 'FAILED', failure: { code: 'TRAINER_LOST' } });
  });

  it('pages through the customers with the highest scores, equal ones by id, of one tenant', async () => {
    await save([scored('cus_a', 0.2), scored('cus_b', 0.9), scored('cus_c', 0.5), scored('cus_d', 0.5)]);
    await save([scored('cus_z', 0.99)], AS_OF, 'other');
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await prediction.ask(TOP, { task: 'churn', first: 1, after });
      const { nodes, endCursor, hasNextPage } = data.topCustomers;
      seen.push(nodes[0].customer.id);
      after = hasNextPage ? endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(['cus_b', 'cus_c', 'cus_d', 'cus_a']);
    const { data } = await prediction.ask(TOP, { task: 'churn' });
    expect(data.topCustomers.nodes[0]).toMatchObject({
      ...{ task: 'churn', probability: 0.9, percentile: 90, band: 'HIGH', basis: 'BEHAVIOUR' },
      asOf: AS_OF.toISOString(),
    });
    const beyond = await prediction.ask(TOP, { task: 'churn', first: 101 });
    expect(beyond.errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
    const forged = await prediction.ask(TOP, { task: 'churn', after: 'forged' });
    expect(forged.errors?.[0]?.extensions.code).toBe('INVALID_CURSOR');
  });

  it('keeps one document a customer: an equal or later instant replaces it, an earlier one does not', async () => {
    const at = (ms: number) => new Date(AS_OF.getTime() + ms);
    await save([scored('cus_a', 0.2), scored('cus_b', 0.2)]);
    await save([scored('cus_a', 0.3)], at(1));
    await save([scored('cus_a', 0.4), scored('cus_b', 0.4)], at(0));
    const ids = ['cus_a', 'cus_b', 'cus_unknown'].map((id) => ({ __typename: 'Customer', id }));
    const { data } = await prediction.ask(ENTITIES, { ids, task: 'churn' });
    expect(data._entities).toEqual([
      { id: 'cus_a', batchScore: { probability: 0.3, band: 'LOW', customer: { id: 'cus_a' } } },
      { id: 'cus_b', batchScore: { probability: 0.4, band: 'LOW', customer: { id: 'cus_b' } } },
      { id: 'cus_unknown', batchScore: null },
    ]);
    expect(await scores.count('demo', 'churn')).toBe(2);
    expect(await scores.removeOlderThan({ tenantId: 'demo', task: 'churn', asOf: at(1) })).toBe(1);
    await scores.remove('demo', ['cus_a'], ['churn', 'lead']);
    expect(await scores.count('demo', 'churn')).toBe(0);
  });
});
