import { BatchJobs } from '@sextant/batch-scoring';
import { nodeIdOf } from '@sextant/domain';
import { TrainingJobs } from '@sextant/model-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction } from '../testing/prediction.fixture.js';

const NODE = `query ($id: ID!) { node(id: $id) { __typename nodeId
  ... on Customer { id } ... on Product { id } ... on TrainingJob { task } ... on BatchJob { task } } }`;

let prediction: Prediction;
let training: string;
let batch: string;
beforeAll(async () => {
  prediction = await aPrediction();
  const ordered = { tenantId: 'demo', idempotencyKey: null };
  const run = { notes: null, seed: 1, dataFrom: null, dataTo: null, maxMinutes: 1 };
  training = (await new TrainingJobs(prediction.db).enqueue({ ...ordered, ...run, task: 'price' })).id;
  batch = (await new BatchJobs(prediction.db).enqueue({ ...ordered, task: 'churn' })).id;
});
afterAll(() => prediction.stop());

const find = (id: string, as = anIdentity()) => prediction.ask(NODE, { id }, as);

describe('node(id:)', () => {
  it('finds jobs of this tenant by the nodeId that they show, and none of another', async () => {
    const shown = await prediction.ask(
      `{ trainingJob(id: "${training}") { nodeId } batchJob(id: "${batch}") { nodeId } }`,
    );
    const { trainingJob, batchJob } = shown.data;
    expect((await find(trainingJob.nodeId)).data.node).toEqual({
      ...{ __typename: 'TrainingJob', nodeId: trainingJob.nodeId },
      task: 'price',
    });
    expect((await find(batchJob.nodeId)).data.node).toMatchObject({ __typename: 'BatchJob', task: 'churn' });
    const other = await find(trainingJob.nodeId, anIdentity({ tenantId: 'other' }));
    expect([other.data.node, other.errors]).toEqual([null, undefined]);
  });

  it('names those that other subgraphs own by type and id', async () => {
    for (const __typename of ['Customer', 'Product'])
      expect((await find(nodeIdOf(__typename, 'x:1'))).data.node).toEqual({
        ...{ __typename, nodeId: nodeIdOf(__typename, 'x:1') },
        id: 'x:1',
      });
  });

  it.each([
    ['Customer', 'customer:read'],
    ['Account', 'customer:read'],
    ['Segment', 'segment:read'],
    ['Product', 'catalogue:read'],
    ['Campaign', 'campaign:read'],
    ['DecisionRecord', 'decision:read'],
    ['TrainingJob', 'model:read'],
    ['BatchJob', 'model:read'],
    ['ModelVersion', 'model:read'],
    ['ModelImport', 'model:read'],
  ] as const)('is no way around the scope of %s', async (type, scope) => {
    const scopes = anIdentity().scopes.filter((held) => held !== scope);
    const { data, errors } = await find(nodeIdOf(type, '1'), anIdentity({ scopes }));
    expect([data.node, errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
    expect((await find(nodeIdOf(type, '1'))).errors).toBeUndefined();
  });

  it('refuses what is no nodeId, and types that are no nodes', async () => {
    for (const id of ['P00001', nodeIdOf('Money', '1'), nodeIdOf('constructor', '1')])
      expect((await find(id)).errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
  });
});

describe('nodes(ids:)', () => {
  it('answers in the order of the ids, each by itself', async () => {
    const ids = [nodeIdOf('Product', '2'), 'nonsense', nodeIdOf('Customer', '1')];
    const { data, errors } = await prediction.ask(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }',
      {
        ids,
      },
    );
    expect(data.nodes).toEqual([{ __typename: 'Product' }, null, { __typename: 'Customer' }]);
    expect(errors).toMatchObject([{ path: ['nodes', 1], extensions: { code: 'INVALID_INPUT' } }]);
  });
});
