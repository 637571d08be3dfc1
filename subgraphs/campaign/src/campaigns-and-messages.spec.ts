import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCampaignSubgraph, marketer } from './test-campaign-subgraph.js';

const CREATE =
  'mutation($i:CampaignInput!){ createCampaign(input:$i){ campaign{ id name state objective channel startAt budget{amount currency} createdAt } userErrors{ code field } } }';
const RECORD =
  'mutation($m:[MessageInput!]!){ recordMessages(messages:$m){ recorded duplicates userErrors{ code field } } }';
const spring = {
  name: 'Spring',
  objective: 'REVENUE',
  channel: 'EMAIL',
  budget: { amount: '500', currency: 'EUR' },
  idempotencyKey: 'spring',
};

let campaign: Awaited<ReturnType<typeof aCampaignSubgraph>>;
beforeAll(async () => {
  campaign = await aCampaignSubgraph();
});
afterAll(() => campaign.stop());

async function aCampaign(idempotencyKey: string): Promise<string> {
  const { data } = await campaign.ask(CREATE, { i: { ...spring, idempotencyKey } });
  return data?.['createCampaign'].campaign.id;
}

describe('createCampaign', () => {
  it('makes one campaign a key, also when retries race', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => campaign.ask(CREATE, { i: spring })));
    const created = answers.map(({ data }) => data?.['createCampaign']);
    expect(new Set(created.map((payload) => payload.campaign.id)).size).toBe(1);
    expect(created[0]).toMatchObject({
      campaign: {
        name: 'Spring',
        state: 'DRAFT',
        startAt: null,
        budget: { amount: '500.00', currency: 'EUR' },
        createdAt: '2026-03-01T00:00:00.000Z',
      },
      userErrors: [],
    });
    const { data } = await campaign.ask('query($id:ID!){ campaign(id:$id){ name } }', {
      id: created[0].campaign.id,
    });
    expect(data).toEqual({ campaign: { name: 'Spring' } });
  });

  it('reports bad input and a key that meant another campaign', async () => {
    const codeOf = async (input: object) =>
      (await campaign.ask(CREATE, { i: input })).data?.['createCampaign'];
    expect(await codeOf({ ...spring, idempotencyKey: 'b', name: ' ' })).toEqual({
      campaign: null,
      userErrors: [{ code: 'INVALID_INPUT', field: 'input.name' }],
    });
    expect(
      await codeOf({ ...spring, idempotencyKey: 'b', budget: { amount: '0', currency: 'EUR' } }),
    ).toEqual({ campaign: null, userErrors: [{ code: 'INVALID_MONEY', field: 'input.budget' }] });
    expect(await codeOf({ ...spring, name: 'Autumn' })).toEqual({
      campaign: null,
      userErrors: [{ code: 'IDEMPOTENCY_CONFLICT', field: 'input.idempotencyKey' }],
    });
  });

  it('lists campaigns newest first, across pages and equal times', async () => {
    const other = { ...marketer, tenantId: 'paging' };
    for (const key of ['1', '2', '3'])
      await campaign.ask(CREATE, { i: { ...spring, name: key, idempotencyKey: key } }, other);
    campaign.clock.at = new Date('2026-03-01T00:00:01Z');
    await campaign.ask(CREATE, { i: { ...spring, name: '4', idempotencyKey: '4' } }, other);
    const query =
      'query($after:String){ campaigns(first:2, after:$after){ nodes{ name } endCursor hasNextPage } }';
    const first = (await campaign.ask(query, {}, other)).data?.['campaigns'];
    const second = (await campaign.ask(query, { after: first.endCursor }, other)).data?.['campaigns'];
    expect([first.hasNextPage, second.hasNextPage, first.nodes[0].name]).toEqual([true, false, '4']);
    expect([...first.nodes, ...second.nodes].map(({ name }) => name).toSorted()).toEqual([
      '1',
      '2',
      '3',
      '4',
    ]);
  });
});

describe('recordMessages', () => {
  it('stores each id once and reports the rows of an unknown campaign', async () => {
    const campaignId = await aCampaign('mail');
    const message = (id: string, sentAt: string) => ({
      id,
      customerId: 'cus_1',
      campaignId,
      channel: 'EMAIL',
      sentAt,
      subject: `No. ${id}`,
    });
    const messages = [
      message('m1', '2026-02-01T08:00:00Z'),
      message('m2', '2026-02-02T08:00:00Z'),
      { ...message('m3', '2026-02-03T08:00:00Z'), campaignId: 'cmp_none' },
    ];
    const first = await campaign.ask(RECORD, { m: messages });
    expect(first.data?.['recordMessages']).toEqual({
      recorded: 2,
      duplicates: 0,
      userErrors: [{ code: 'CAMPAIGN_NOT_FOUND', field: 'messages.2.campaignId' }],
    });
    const again = await campaign.ask(RECORD, {
      m: [...messages.slice(0, 2), { ...message('m4', '2026-02-02T08:00:00Z'), campaignId: null }],
    });
    expect(again.data?.['recordMessages']).toEqual({ recorded: 1, duplicates: 2, userErrors: [] });
  });

  it('shows them on the customer, latest first, with their campaign', async () => {
    const query =
      'query($r:[_Any!]!,$after:String){ _entities(representations:$r){ ... on Customer { messages(first:2, after:$after){ nodes{ id subject campaign{ name } } endCursor hasNextPage } } } }';
    const pageAfter = async (after: string | null, as = marketer) =>
      (await campaign.ask(query, { r: [{ __typename: 'Customer', id: 'cus_1' }], after }, as)).data?.[
        '_entities'
      ][0].messages;
    const first = await pageAfter(null);
    expect(first.nodes).toEqual([
      { id: 'm4', subject: 'No. m4', campaign: null },
      { id: 'm2', subject: 'No. m2', campaign: { name: 'Spring' } },
    ]);
    const second = await pageAfter(first.endCursor);
    expect([second.nodes.map(({ id }: { id: string }) => id), second.hasNextPage]).toEqual([['m1'], false]);
    expect((await pageAfter(null, { ...marketer, tenantId: 'other' })).nodes).toEqual([]);
  });
});
