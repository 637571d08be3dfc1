import { nodeIdOf } from '@sextant/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCampaignSubgraph, marketer } from './test-campaign-subgraph.js';

const UPSERT =
  'mutation($p:[ProductInput!]!){ upsertProducts(products:$p){ upserted userErrors{ code field } } }';
const eur = (amount: string) => ({ amount, currency: 'EUR' });

let campaign: Awaited<ReturnType<typeof aCampaignSubgraph>>;
beforeAll(async () => {
  campaign = await aCampaignSubgraph();
});
afterAll(() => campaign.stop());

describe('the campaign subgraph', () => {
  it('is ready while its store answers, and counts itself in metrics', async () => {
    const ready = await fetch(campaign.subgraph.metricsUrl.replace('/metrics', '/health/ready'));
    expect(await ready.json()).toEqual({ status: 'ready', checks: { store: true } });
    expect(await (await fetch(campaign.subgraph.metricsUrl)).text()).toContain('process_cpu_seconds_total');
  });

  it('refuses what the gateway did not sign, whatever it asks', async () => {
    const body = JSON.stringify({
      query: '{ _entities(representations:[{__typename:"Product",id:"1"}]){ __typename } }',
    });
    const response = await fetch(campaign.subgraph.url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'SIGNATURE_INVALID' } }] });
  });
});

describe('upsertProducts', () => {
  it('stores good rows and reports each bad one with its place', async () => {
    const products = [
      {
        id: 'a-1',
        sku: 'S1',
        title: 'Lamp',
        categories: ['light', 'home', 'light'],
        listPrice: eur('12.9'),
        cost: eur('7.00'),
        stock: 3,
      },
      { id: '', title: 'No id' },
      { id: 'a-2', title: 'Bad price', listPrice: eur('1.234') },
      { id: 'a-3', title: 'Below nothing', cost: eur('-1') },
      { id: 'a-4', title: 'Yen', listPrice: { amount: '500', currency: 'JPY' } },
      { id: 'a-4', title: 'Yen again' },
      { id: 'a-5', title: 'Short', stock: -1 },
    ];
    const answer = await campaign.ask(UPSERT, { p: products });
    expect(answer.data?.['upsertProducts']).toEqual({
      upserted: 2,
      userErrors: [
        { code: 'INVALID_INPUT', field: 'products.1.id' },
        { code: 'INVALID_MONEY', field: 'products.2.listPrice' },
        { code: 'INVALID_MONEY', field: 'products.3.cost' },
        { code: 'INVALID_INPUT', field: 'products.5.id' },
        { code: 'INVALID_INPUT', field: 'products.6.stock' },
      ],
    });
    const query =
      '{ product(id:"a-1"){ id sku title categories listPrice{amount currency} cost{amount} stock lowestPrice30d{amount} } none: product(id:"a-2"){ id } }';
    expect((await campaign.ask(query)).data).toEqual({
      product: {
        ...{ id: 'a-1', sku: 'S1', title: 'Lamp', categories: ['light', 'home'], listPrice: eur('12.90') },
        ...{ cost: { amount: '7.00' }, stock: 3, lowestPrice30d: { amount: '12.90' } },
      },
      none: null,
    });
  });

  it('keeps what a row leaves out and clears what it sets to null', async () => {
    await campaign.ask(UPSERT, {
      p: [{ id: 'k', sku: 'K', title: 'Kettle', categories: ['home'], cost: eur('5'), stock: 2 }],
    });
    await campaign.ask(UPSERT, { p: [{ id: 'k', title: 'Kettle XL', stock: null }] });
    const { data } = await campaign.ask(
      '{ product(id:"k"){ sku title categories cost{amount} stock listPrice{amount} lowestPrice30d{amount} } }',
    );
    expect(data?.['product']).toEqual({
      ...{ sku: 'K', title: 'Kettle XL', categories: ['home'], cost: { amount: '5.00' }, stock: null },
      ...{ listPrice: null, lowestPrice30d: null },
    });
  });

  it('takes 1,000 rows at once and refuses 1,001', async () => {
    const rows = (n: number) =>
      Array.from({ length: n }, (_, i) => ({
        id: `bulk-${String(i).padStart(4, '0')}`,
        title: `T${i}`,
        categories: ['bulk'],
        listPrice: eur('1'),
      }));
    expect((await campaign.ask(UPSERT, { p: rows(1_000) })).data).toEqual({
      upsertProducts: { upserted: 1_000, userErrors: [] },
    });
    const refused = await campaign.ask(UPSERT, { p: rows(1_001) });
    expect(refused.data).toEqual({ upsertProducts: null });
    expect(refused.errors?.[0]?.extensions.code).toBe('BATCH_TOO_LARGE');
  });

  it('keeps one price history under concurrent changes of the same product', async () => {
    const prices = ['3', '4', '5', '6', '7', '8'];
    await Promise.all(
      prices.map((price) =>
        campaign.ask(UPSERT, { p: [{ id: 'race', title: 'Race', listPrice: eur(price) }] }),
      ),
    );
    const { data, errors } = await campaign.ask('{ product(id:"race"){ lowestPrice30d{amount} } }');
    expect(errors).toBeUndefined();
    expect(data?.['product'].lowestPrice30d.amount).toBe('3.00');
  });
});

describe('Product.lowestPrice30d', () => {
  it('looks back 30 days, with the price that was in force when they began', async () => {
    const at = async (date: string, price: string) => {
      campaign.clock.at = new Date(date);
      await campaign.ask(UPSERT, { p: [{ id: 'l', title: 'Lens', listPrice: eur(price) }] });
    };
    const lowest = async (date: string) => {
      campaign.clock.at = new Date(date);
      return (await campaign.ask('{ product(id:"l"){ lowestPrice30d{amount} } }')).data?.['product']
        .lowestPrice30d.amount;
    };
    await at('2026-01-01T00:00:00Z', '8');
    await at('2026-02-01T00:00:00Z', '10');
    await at('2026-02-20T00:00:00Z', '9');
    expect(await lowest('2026-03-02T23:59:59.999Z')).toBe('8.00');
    expect(await lowest('2026-03-03T00:00:00Z')).toBe('9.00');
    campaign.clock.at = new Date('2026-03-01T00:00:00Z');
  });
});

describe('products', () => {
  it('pages through a category in order of id, each product once', async () => {
    const page =
      'query($after:String){ products(first:100, after:$after, filter:{category:"bulk"}){ nodes{ id } endCursor hasNextPage } }';
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const connection: { nodes: { id: string }[]; endCursor: string; hasNextPage: boolean } = (
        await campaign.ask(page, { after })
      ).data?.['products'];
      seen.push(...connection.nodes.map(({ id }) => id));
      [after, more] = [connection.endCursor, connection.hasNextPage];
    }
    expect(seen).toHaveLength(1_000);
    expect(seen).toEqual([...new Set(seen)].toSorted());
  });

  it('shows the same page as edges, each cursor leading behind its row', async () => {
    const page = `query($after:String){ products(first:2, after:$after, filter:{category:"bulk"}){
      nodes{ id nodeId } endCursor edges{ node{ id } cursor }
      pageInfo{ hasNextPage hasPreviousPage startCursor endCursor } } }`;
    const pageAfter = async (after: string | null) =>
      (await campaign.ask(page, { after })).data?.['products'];
    const first = await pageAfter(null);
    const [one, two] = first.edges;
    expect([one.node.id, two.node.id]).toEqual(first.nodes.map(({ id }: { id: string }) => id));
    expect(first.pageInfo).toEqual({
      ...{ hasNextPage: true, hasPreviousPage: false },
      ...{ startCursor: one.cursor, endCursor: first.endCursor },
    });
    expect(first.nodes[0].nodeId).toBe(nodeIdOf('Product', one.node.id));
    const second = await pageAfter(one.cursor);
    expect([second.edges[0].node.id, second.pageInfo.hasPreviousPage]).toEqual([two.node.id, true]);
  });

  it('refuses a page size outside 1 to 100 and a cursor of another list', async () => {
    for (const [args, code] of [
      ['first:0', 'INVALID_INPUT'],
      ['first:101', 'INVALID_INPUT'],
      ['after:"x"', 'INVALID_CURSOR'],
      ['after:"WzFd"', 'INVALID_CURSOR'],
    ]) {
      const answer = await campaign.ask(`{ products(${args}){ hasNextPage } }`);
      expect([answer.data, answer.errors?.[0]?.extensions.code]).toEqual([{ products: null }, code]);
    }
  });
});

describe('tenants and scopes', () => {
  it('shows nothing of another tenant, also through aliases and _entities', async () => {
    await campaign.ask(UPSERT, { p: [{ id: 'secret', title: 'Ours' }] });
    const stranger = { ...marketer, tenantId: 'other' };
    const query =
      'query($r:[_Any!]!){ a: product(id:"secret"){ id } b: products{ nodes{ id } } _entities(representations:$r){ ... on Product { title } } }';
    const answer = await campaign.ask(query, { r: [{ __typename: 'Product', id: 'secret' }] }, stranger);
    expect(answer.data).toEqual({ a: null, b: { nodes: [] }, _entities: [null] });
  });

  it('shows the cost to those who run campaigns and to nobody else', async () => {
    const shop = { ...marketer, roles: ['web'], scopes: ['catalogue:read'] };
    const answer = await campaign.ask('{ product(id:"a-1"){ title cost{ amount } } }', {}, shop);
    expect(answer.data).toEqual({ product: { title: 'Lamp', cost: null } });
    expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['product', 'cost'], 'FORBIDDEN'],
    ]);
  });

  it('resolves many references with one answer in their order', async () => {
    const ids = ['bulk-0002', 'unknown', 'bulk-0001', 'bulk-0002'];
    const query =
      'query($r:[_Any!]!){ _entities(representations:$r){ ... on Product { id title lowestPrice30d{amount} } } }';
    const answer = await campaign.ask(query, { r: ids.map((id) => ({ __typename: 'Product', id })) });
    expect(
      answer.data?.['_entities'].map((product: { title: string } | null) => product?.title ?? null),
    ).toEqual(['T2', null, 'T1', 'T2']);
  });
});
