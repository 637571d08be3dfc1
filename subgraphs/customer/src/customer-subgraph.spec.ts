import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerIdOf } from '@sextant/features';
import { aCustomerSubgraph, anEventInput, anIdentity } from './test-customer-subgraph.js';

let customer: Awaited<ReturnType<typeof aCustomerSubgraph>>;
beforeAll(async () => {
  customer = await aCustomerSubgraph();
  await customer.ingest([
    anEventInput({
      type: 'profile_update',
      at: '2026-02-01T00:00:00Z',
      properties: { accountRef: 'acme', city: 'Bern', age: 7 },
    }),
    anEventInput({ id: 'o1', type: 'order', at: '2026-02-20T10:00:00Z', properties: ORDER, source: 'till' }),
    anEventInput({ id: 'o2', type: 'order', at: '2026-02-20T10:00:00Z', properties: ORDER }),
    anEventInput({ type: 'lead_submitted', customerRef: 'web:2', properties: { employees: 5 } }),
    anEventInput({ type: 'profile_update', customerRef: 'web:2', properties: { accountRef: 'acme' } }),
    anEventInput({ type: 'page_visit', customerRef: 'web:3' }),
    anEventInput({
      type: 'account_update',
      customerRef: null,
      at: '2026-01-02T00:00:00Z',
      properties: { accountRef: 'acme', name: 'Acme', size: 9 },
    }),
    anEventInput({
      type: 'account_update',
      customerRef: null,
      at: '2026-01-01T00:00:00Z',
      properties: { accountRef: 'acme', size: 8, city: 'Bern' },
    }),
  ]);
});
afterAll(() => customer.stop());

const ORDER = { orderId: 'o', currency: 'EUR', lines: [{ productId: 'p', quantity: 2, unitPrice: '5.00' }] };
const ID = customerIdOf('demo', 'shop:1');
const ENTITIES =
  'query($r:[_Any!]!){ _entities(representations:$r){ ... on Customer { id ref lifecycle traits } ... on Account { id name } } }';

describe('customers', () => {
  it('are found by id and by ref, with account, traits, identities and lifecycle', async () => {
    const fields =
      '{ id ref lifecycle traits(keys:["city"]) identities{ source externalId linkedAt } account{ id name firmographics members{ nodes{ ref } } } }';
    const { data, errors } = await customer.ask(
      `{ a: customer(ref:"shop:1")${fields} b: customer(id:"${ID}")${fields} }`,
    );
    expect(errors).toBeUndefined();
    expect(data?.['a']).toEqual(data?.['b']);
    expect(data?.['a']).toMatchObject({
      id: ID,
      ref: 'shop:1',
      lifecycle: 'NEW',
      traits: { city: 'Bern' },
      identities: [{ source: 'shop', externalId: '1', linkedAt: '2026-02-01T00:00:00.000Z' }],
      account: { id: 'acme', name: 'Acme', firmographics: { size: 9, city: 'Bern' } },
    });
    expect(data?.['a'].account.members.nodes.map(({ ref }: { ref: string }) => ref).toSorted()).toEqual([
      'shop:1',
      'web:2',
    ]);
  });

  it('need id or ref, not both, and are null when unknown', async () => {
    const { data, errors } = await customer.ask(
      '{ customer(ref:"shop:404"){ id } account(id:"nobody"){ id } }',
    );
    expect([data, errors]).toEqual([{ customer: null, account: null }, undefined]);
    for (const args of ['', '(id:"a",ref:"b")']) {
      const answer = await customer.ask(`{ customer${args}{ id } }`);
      expect(answer.errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
    }
  });

  it('are listed by lifecycle, ref and account', async () => {
    const refsOf = async (filter: string) => {
      const { data } = await customer.ask(`{ customers(filter:{${filter}}){ nodes{ ref lifecycle } } }`);
      return data?.['customers'].nodes.map(({ ref }: { ref: string }) => ref);
    };
    expect(await refsOf('lifecycle:NEW')).toEqual(['shop:1']);
    expect(await refsOf('lifecycle:LEAD')).toEqual(['web:2']);
    expect(await refsOf('lifecycle:ANONYMOUS')).toEqual(['web:3']);
    expect(await refsOf('ref:"web:3"')).toEqual(['web:3']);
    expect(await refsOf('accountId:"acme",lifecycle:LEAD')).toEqual(['web:2']);
  });

  it('come in pages that hold each once, in every size, also while others arrive', async () => {
    const tenant = anIdentity('pages');
    const add = (refs: number[]) =>
      customer.ingest(
        refs.map((i) => anEventInput({ customerRef: `shop:${i}` })),
        tenant,
      );
    await add([1, 2, 3, 4, 5, 6, 7]);
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 10; page++) {
      const answer = await customer.askAs(
        tenant,
        'query($a:String){ customers(first:3, after:$a){ nodes{ id } endCursor hasNextPage } }',
        { a: after },
      );
      const { nodes, endCursor, hasNextPage } = answer.data?.['customers'] ?? {};
      seen.push(...nodes.map(({ id }: { id: string }) => id));
      after = endCursor;
      if (!hasNextPage) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].map((i) => customerIdOf('pages', `shop:${i}`)).toSorted());
  });

  it('refuse page sizes out of bounds and foreign cursors', async () => {
    const codeOf = async (args: string) =>
      (await customer.ask(`{ customers(${args}){ hasNextPage } }`)).errors?.[0]?.extensions.code;
    expect(await codeOf('first:101')).toBe('INVALID_INPUT');
    expect(await codeOf('first:0')).toBe('INVALID_INPUT');
    expect(await codeOf('first:100')).toBeUndefined();
    expect(await codeOf('after:"nonsense"')).toBe('INVALID_CURSOR');
    const ids = Array.from({ length: 101 }, () => ID);
    const many = await customer.ask('query($ids:[ID!]!){ customersByIds(ids:$ids){ id } }', { ids });
    expect(many.errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
  });
});

describe('Customer.events', () => {
  it('pages newest first through events of one instant, and filters by type and time', async () => {
    const query =
      'query($a:String){ customer(ref:"shop:1"){ events(first:1, after:$a){ nodes{ id type at source properties } endCursor hasNextPage } } }';
    const seen: string[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const { data } = await customer.ask(query, { a: after });
      const { nodes, endCursor, hasNextPage } = data?.['customer'].events ?? {};
      seen.push(nodes[0].id);
      [after, more] = [endCursor, hasNextPage];
    }
    expect(seen.slice(0, 2)).toEqual(['o2', 'o1']);
    expect(seen).toHaveLength(3);
    const filtered = await customer.ask(
      '{ customer(ref:"shop:1"){ events(types:["order"], since:"2026-02-20T10:00:00Z"){ nodes{ id source } } } }',
    );
    expect(filtered.data?.['customer'].events.nodes).toEqual([
      { id: 'o2', source: null },
      { id: 'o1', source: 'till' },
    ]);
    const wrong = await customer.ask(
      '{ customer(ref:"shop:1"){ events(since:"2026-02-20"){ nodes{ id } } } }',
    );
    expect(wrong.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });
});

describe('Customer.featureVector', () => {
  it('holds an event on the very next query', async () => {
    const visits = async () => {
      const { data } = await customer.ask(
        '{ customer(ref:"shop:9"){ featureVector(set:"customer"){ asOf version values } } }',
      );
      return data?.['customer']?.featureVector?.values['count.page_visit.total'];
    };
    expect(await visits()).toBeUndefined();
    for (const at of [
      '2026-03-01T10:00:00Z',
      '2026-03-01T11:00:00Z',
      '2026-03-01T09:00:00Z',
      '2026-03-01T11:00:00Z',
    ]) {
      const before = (await visits()) ?? 0;
      await customer.ingest([anEventInput({ customerRef: 'shop:9', at })]);
      expect(await visits()).toBe(before + 1);
    }
  });

  it('holds every event when many calls for one customer run at once', async () => {
    const calls = Array.from({ length: 30 }, (_, i) =>
      customer.ingest([
        anEventInput({
          customerRef: 'shop:busy',
          at: `2026-03-01T10:${String((i * 7) % 60).padStart(2, '0')}:00Z`,
        }),
      ]),
    );
    await Promise.all(calls);
    const { data } = await customer.ask(
      '{ customer(ref:"shop:busy"){ featureVector(set:"customer"){ values } } }',
    );
    expect(data?.['customer'].featureVector.values['count.page_visit.total']).toBe(30);
  });

  it('shows a lead as of the form, and refuses a set that there is not', async () => {
    const query = (set: string) =>
      `{ customer(ref:"web:2"){ featureVector(set:"${set}"){ set asOf values } } }`;
    const { data } = await customer.ask(query('lead'));
    expect(data?.['customer'].featureVector).toMatchObject({
      set: 'lead',
      asOf: '2026-03-01T11:00:00.000Z',
      values: { 'form.employees': 5 },
    });
    expect((await customer.ask(query('nothing'))).errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
  });
});

describe('trust', () => {
  it('refuses what is not signed', async () => {
    const body = JSON.stringify({ query: `{ customer(id:"${ID}"){ id } }` });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(customer.subgraph.url, { method: 'POST', body, headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'SIGNATURE_INVALID' } }] });
  });

  it('has nothing of one tenant for another, by id, alias, list, cursor or entity', async () => {
    const stranger = anIdentity('stranger');
    const query = `{ a: customer(id:"${ID}"){ id } b: customersByIds(ids:["${ID}"]){ id } customers{ nodes{ id } } account(id:"acme"){ name } }`;
    expect((await customer.askAs(stranger, query)).data).toEqual({
      a: null,
      b: [null],
      customers: { nodes: [] },
      account: null,
    });
    const r = [
      { __typename: 'Customer', id: ID },
      { __typename: 'Account', id: 'acme' },
    ];
    expect((await customer.askAs(stranger, ENTITIES, { r })).data).toEqual({ _entities: [null, null] });
    const own = await customer.ask('{ customers(first:1){ endCursor } }');
    const cursor = own.data?.['customers'].endCursor;
    const listed = await customer.askAs(stranger, 'query($c:String){ customers(after:$c){ nodes{ id } } }', {
      c: cursor,
    });
    expect(listed.data?.['customers'].nodes).toEqual([]);
  });

  it('resolves entities by id and by ref', async () => {
    const r = [
      { __typename: 'Customer', id: ID },
      { __typename: 'Customer', ref: 'shop:1' },
      { __typename: 'Account', id: 'acme' },
    ];
    const { data } = await customer.ask(ENTITIES, { r });
    const person = { id: ID, ref: 'shop:1', lifecycle: 'NEW', traits: { city: 'Bern', age: 7 } };
    expect(data?.['_entities']).toEqual([person, person, { id: 'acme', name: 'Acme' }]);
  });

  it('needs the scope of each field, also of an entity', async () => {
    const codesOf = async (scopes: string[], query: string, variables = {}) => {
      const { errors, data } = await customer.askAs(anIdentity('demo', scopes), query, variables);
      expect(JSON.stringify(data ?? null)).not.toContain('Bern');
      return errors?.map(({ extensions }) => extensions.code) ?? [];
    };
    const r = [{ __typename: 'Customer', id: ID }];
    expect(await codesOf(['recommend:read'], `{ customer(id:"${ID}"){ id } }`)).toEqual(['FORBIDDEN']);
    expect(await codesOf(['customer:read'], `{ customer(id:"${ID}"){ traits } }`)).toEqual(['FORBIDDEN']);
    expect(await codesOf(['customer:read'], '{ account(id:"acme"){ firmographics } }')).toEqual([
      'FORBIDDEN',
    ]);
    expect(await codesOf(['customer:read'], ENTITIES, { r })).toEqual(['FORBIDDEN']);
    expect(await codesOf(['customer:read'], 'mutation{ ingestEvents(events:[]){ accepted } }')).toEqual([
      'FORBIDDEN',
    ]);
    expect(await codesOf(['customer:read'], `{ customer(id:"${ID}"){ id ref lifecycle } }`)).toEqual([]);
  });
});
