import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, type Answer, ask } from '../test-gateway.js';

let running: Awaited<ReturnType<typeof aGateway>>;
beforeAll(async () => {
  running = await aGateway();
});
afterAll(() => running.stop());

const asked = () => Object.values(running.subgraphs).reduce((sum, { requests }) => sum + requests.length, 0);
const outcome = ({ status, data, errors }: Answer) => [
  status,
  data,
  errors?.map(({ extensions }) => extensions.code),
];

async function withToken(
  token: string | undefined,
  query = '{ customer(id:"1"){ id } }',
  variables = {},
): Promise<Answer> {
  return ask(
    running.gateway.url,
    { query, variables },
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  );
}

describe('authorisation', () => {
  let shop: string;
  beforeAll(async () => {
    shop = await running.token({ scope: 'customer:read catalogue:read decision:read' });
  });

  it('answers null with a code in place of a field that the token does not open, and the rest intact', async () => {
    const before = asked();
    const answer = await withToken(shop, '{ product(id:"1"){ title cost } }');
    expect([answer.status, answer.data]).toEqual([200, { product: { title: 'Product 1', cost: null } }]);
    expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['product', 'cost'], 'FORBIDDEN'],
    ]);
    expect(answer.errors?.[0]?.message).toContain('Product.cost needs the scope campaign:read');
    expect(asked() - before).toBe(1);
    expect(running.subgraphs.campaign.requests.at(-1)?.body).not.toContain('cost');
  });

  it('asks no subgraph for an operation of which nothing is open', async () => {
    const before = asked();
    const { data, errors } = await withToken(
      await running.token({ scope: '' }),
      '{ product(id:"1"){ title } }',
    );
    expect([data, errors?.map(({ path }) => path)]).toEqual([{ product: null }, [['product']]]);
    expect(asked()).toBe(before);
  });

  it('nulls the nearest nullable parent of a field that promises a value', async () => {
    const { data, errors } = await withToken(shop, '{ customer(id:"1"){ id name } whoami }');
    expect(data).toEqual({ customer: null, whoami: 'user-1@demo' });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['customer', 'name'], 'FORBIDDEN'],
    ]);
  });

  it('refuses a mutation with a closed root field whole, and runs nothing of it', async () => {
    const before = asked();
    const answer = await withToken(shop, 'mutation { ingestEvents(events: []) }');
    expect(outcome(answer)).toEqual([403, undefined, ['FORBIDDEN']]);
    expect(asked()).toBe(before);
  });

  it('is counted by code', async () => {
    await withToken(undefined);
    const metrics = await (await fetch(running.gateway.metricsUrl)).text();
    expect(metrics).toMatch(/sextant_gateway_errors_total\{code="FORBIDDEN"\} [1-9]/);
    expect(metrics).toMatch(/sextant_gateway_errors_total\{code="UNAUTHENTICATED"\} [1-9]/);
  });

  it.each([
    ['{ a: product(id:"1"){ b: cost } }', { a: { b: null } }],
    [
      'query { product(id:"1"){ ...F } } fragment F on Product { ...G } fragment G on Product { cost }',
      { product: { cost: null } },
    ],
    ['{ product(id:"1"){ ... on Product { ... { cost } } } }', { product: { cost: null } }],
    ['{ decision { note } }', { decision: { note: null } }],
    ['{ decision { ... on Quote { note } } }', { decision: { note: null } }],
  ])('sees through aliases, fragments and interfaces: %s', async (document, expected) => {
    const { data, errors } = await withToken(shop, document);
    expect(data).toEqual(expected);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  });

  it('judges the operation that is named, not its neighbours', async () => {
    const two = {
      query: 'query Open { whoami } query Closed { product(id:"1"){ cost } }',
      operationName: 'Open',
    };
    const headers = { authorization: `Bearer ${shop}` };
    expect((await ask(running.gateway.url, two, headers)).errors).toBeUndefined();
    const { data } = await ask(running.gateway.url, { ...two, operationName: 'Closed' }, headers);
    expect(data).toEqual({ product: { cost: null } });
  });

  it('lets a field pass that @include or @skip leaves out, and only then', async () => {
    const query =
      'query($all:Boolean! = true){ product(id:"1"){ title ...F @include(if:$all) } } fragment F on Product { cost }';
    const closed = { product: { title: 'Product 1', cost: null } };
    const left = await withToken(shop, query, { all: false });
    expect([left.data, left.errors]).toEqual([{ product: { title: 'Product 1' } }, undefined]);
    expect((await withToken(shop, query, { all: true })).data).toEqual(closed);
    expect((await withToken(shop, query)).data).toEqual(closed);
    expect((await withToken(shop, '{ product(id:"1"){ title cost @skip(if: false) } }')).data).toEqual(
      closed,
    );
    const skipped = await withToken(shop, '{ product(id:"1"){ id cost @skip(if: true) } }');
    expect([skipped.data, skipped.errors]).toEqual([{ product: { id: '1' } }, undefined]);
    const mutation = 'mutation($go:Boolean!){ __typename ingestEvents(events: []) @include(if:$go) }';
    expect((await withToken(shop, mutation, { go: true })).status).toBe(403);
    expect((await withToken(shop, mutation, { go: false })).data).toEqual({ __typename: 'Mutation' });
  });

  it('opens with the scope', async () => {
    const token = await running.token({ scope: 'catalogue:read campaign:read' });
    expect((await withToken(token, '{ product(id:"1"){ title cost } }')).data).toEqual({
      product: { title: 'Product 1', cost: '5.00' },
    });
  });
});
