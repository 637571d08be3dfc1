import { BatchJobs } from '@sextant/batch-scoring';
import { nodeIdOf } from '@sextant/domain';
import { TrainingJobs } from '@sextant/model-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixtureNeighbour } from '../testing/neighbour.fixture.js';
import { anIdentity, aPrediction, type Prediction, SECRET } from '../testing/prediction.fixture.js';

const NODE = `query ($id: ID!) { node(id: $id) { __typename nodeId
  ... on Customer { id } ... on Product { id } ... on TrainingJob { task } ... on BatchJob { task } } }`;

const OWNED = [
  ['Customer', 'customer'],
  ['Account', 'customer'],
  ['Segment', 'customer'],
  ['Product', 'campaign'],
  ['Campaign', 'campaign'],
] as const;

let prediction: Prediction;
const neighbours = {
  customer: new FixtureNeighbour('customer', SECRET),
  campaign: new FixtureNeighbour('campaign', SECRET),
};
let training: string;
let batch: string;
beforeAll(async () => {
  const [CUSTOMER_URL, CAMPAIGN_URL] = [await neighbours.customer.start(), await neighbours.campaign.start()];
  prediction = await aPrediction({ env: { CUSTOMER_URL, CAMPAIGN_URL } });
  for (const [type, owner] of OWNED)
    for (const id of ['1', 'x:1']) neighbours[owner].known.add(`${type} ${id}`);
  const ordered = { tenantId: 'demo', idempotencyKey: null };
  const run = { notes: null, seed: 1, dataFrom: null, dataTo: null, maxMinutes: 1 };
  training = (await new TrainingJobs(prediction.db).enqueue({ ...ordered, ...run, task: 'price' })).id;
  batch = (await new BatchJobs(prediction.db).enqueue({ ...ordered, task: 'churn' })).id;
});
afterAll(async () => {
  await prediction.stop();
  await Promise.all([neighbours.customer.stop(), neighbours.campaign.stop()]);
});

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

  it.each(OWNED)('names a %s by type and id where its owner has it, and is null where not', async (type) => {
    const nodeId = nodeIdOf(type, 'x:1');
    expect((await find(nodeId)).data.node).toMatchObject({ __typename: type, nodeId });
    const missing = await find(nodeIdOf(type, 'x:404'));
    expect([missing.data.node, missing.errors]).toEqual([null, undefined]);
    const other = await find(nodeId, anIdentity({ tenantId: 'other' }));
    expect([other.data.node, other.errors]).toEqual([null, undefined]);
  });

  it.each(OWNED)(
    'leaves it to its fields whether there is a %s while its owner is down',
    async (type, owner) => {
      neighbours[owner].isDown = true;
      const { data, errors } = await find(nodeIdOf(type, 'x:404'));
      neighbours[owner].isDown = false;
      expect([data.node.__typename, errors]).toEqual([type, undefined]);
    },
  );

  it('asks for those of one request together, as a service with the scopes of their types', async () => {
    const ids = ['1', 'x:1', '404'].flatMap((id) => [nodeIdOf('Segment', id), nodeIdOf('Product', id)]);
    const before = { customer: neighbours.customer.asked.length, campaign: neighbours.campaign.asked.length };
    const { data } = await prediction.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { nodeId } }', { ids });
    expect(data.nodes.map((node: unknown) => node !== null)).toEqual([true, true, true, true, false, false]);
    const identity = { subject: 'service:prediction', tenantId: 'demo', roles: ['service'] };
    expect(neighbours.customer.asked.slice(before.customer)).toEqual([
      { identity: expect.objectContaining({ ...identity, scopes: ['segment:read'] }) as unknown, count: 3 },
    ]);
    expect(neighbours.campaign.asked.slice(before.campaign)).toEqual([
      { identity: expect.objectContaining({ ...identity, scopes: ['catalogue:read'] }) as unknown, count: 3 },
    ]);
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
    const ids = [nodeIdOf('Product', '1'), 'nonsense', nodeIdOf('Customer', '1')];
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
