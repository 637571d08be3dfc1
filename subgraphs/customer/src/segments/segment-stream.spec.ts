import { textTold, told } from '@sextant/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCustomerSubgraph, anEventInput, anIdentity, eventually } from '../test-customer-subgraph.js';

const SCOPES = ['customer:read', 'events:write', 'segment:read', 'segment:write'];
const me = anIdentity('demo', SCOPES);
const CHANGES =
  'subscription($id: ID, $after: String){ segmentChanges(segmentId: $id, after: $after){ cursor kind size growth segment { id name kind } } }';
const CREATE =
  'mutation($i: SegmentInput!){ createSegment(input: $i){ segment { id } userErrors { message } } }';
const VISITED = { all: [{ feature: 'count.page_visit.total', is: 'gte', value: 1 }] };

let customer: Awaited<ReturnType<typeof aCustomerSubgraph>>;
beforeAll(async () => {
  customer = await aCustomerSubgraph();
});
afterAll(() => customer.stop());

async function visits(refs: readonly string[]): Promise<void> {
  await customer.ingest(
    refs.map((customerRef) => anEventInput({ customerRef })),
    me,
  );
  await eventually(
    async () =>
      (await customer.askAs(me, '{ ingestionStatus { pendingBatches } }')).data?.['ingestionStatus'],
    ({ pendingBatches }) => pendingBatches === 0,
  );
}

const create = async (name: string, identity = me) =>
  (await customer.askAs(identity, CREATE, { i: { name, kind: 'RULE', definition: VISITED } })).data?.[
    'createSegment'
  ].segment.id as string;

describe('segmentChanges', () => {
  it('tells of segments that are made and counted, with how they grew, and resumes', async () => {
    await visits(['shop:1', 'shop:2']);
    const all = await customer.subscribe(CHANGES, me);
    await create('of others', anIdentity('other', SCOPES));
    const id = await create('visitors');
    const [made, counted] = await all.take(2);
    expect(told(made, 'segmentChanges')).toMatchObject({
      kind: 'CREATED',
      segment: { id, name: 'visitors', kind: 'RULE' },
    });
    expect(told(counted, 'segmentChanges')).toMatchObject({
      kind: 'MEASURED',
      size: 2,
      growth: null,
      segment: { id },
    });
    await all.leave();

    await visits(['shop:3', 'shop:4', 'shop:5']);
    await customer.askAs(me, 'mutation { refreshSegments { userErrors { code } } }');
    const again = await customer.subscribe(CHANGES, me, {
      id,
      after: textTold(counted, 'segmentChanges.cursor'),
    });
    expect(told((await again.take(1))[0], 'segmentChanges')).toMatchObject({
      kind: 'MEASURED',
      size: 5,
      growth: 3,
    });
    await again.leave();
  });

  it('tells of found segments, and of those that are not found again', async () => {
    const stream = await customer.subscribe(CHANGES, me);
    const segments = customer.db.collection<{ _id: string }>('segments');
    const cluster = (id: string, generation: number) => ({
      ...{
        tenantId: 'demo',
        id,
        key: `id:${id}`,
        name: id,
        retiredAt: null,
        createdAt: new Date(),
        previewIds: [],
      },
      ...{ definition: { kind: 'CLUSTER', cluster: 0, generation }, size: 0, measuredAt: new Date() },
      ...{ sizeHistory: [], profile: [], stability: 0.9 },
    });
    await segments.insertOne({ _id: 'demo:seg_1', ...cluster('seg_1', 1) });
    await segments.updateOne({ _id: 'demo:seg_1' }, { $set: { definition: cluster('seg_1', 2).definition } });
    await segments.updateOne({ _id: 'demo:seg_1' }, { $set: { retiredAt: new Date() } });
    const kinds = (await stream.take(3)).map((event) => told(event, 'segmentChanges.kind'));
    expect(kinds).toEqual(['DISCOVERED', 'DISCOVERED', 'RETIRED']);
    await stream.leave();
  });

  it('is closed to who may not read segments', async () => {
    const { refusal } = await customer.subscribe(CHANGES, anIdentity('demo', ['customer:read']));
    expect(refusal?.extensions.code).toBe('FORBIDDEN');
  });
});
