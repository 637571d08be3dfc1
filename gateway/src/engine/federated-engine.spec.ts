import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { GatewayContext } from '../pipeline/operation.js';
import { anEngine, ask, requestOf, TestTransport } from './test-graph.js';

function aGraph() {
  const transport = new TestTransport();
  return { transport, engine: anEngine(transport) };
}

describe('entities', () => {
  it('are asked for once, however often they stand in the answer', async () => {
    const { engine, transport } = aGraph();
    const { data } = await ask(
      engine,
      '{ a: customer(id: 1) { note } b: customer(id: 1) { note friend { note } } everybody { note } }',
    );
    const sent = transport.fetches.filter(({ subgraph }) => subgraph === 'models');
    const representations = sent
      .flatMap(({ fetch }) => Object.values(fetch.variables ?? {}) as { id: string }[][])
      .flat();
    expect(new Set(representations.map(({ id }) => id)).size).toBe(9);
    expect(representations).toHaveLength(9);
    expect(data?.['b']).toEqual({ note: 'note 1', friend: { note: null } });
  });

  it('that stand in two places are told apart by what is fetched for each of them later', async () => {
    const { engine } = aGraph();
    const { data } = await ask(
      engine,
      `{ a: customer(id: 1) { peers { id friends(first: 1) { id } } }
         b: customer(id: 1) { peers { id friends(first: 3) { id } } } }`,
    );
    expect(data).toMatchObject({
      a: { peers: [{ id: '5', friends: [{ id: '6' }] }] },
      b: { peers: [{ id: '5', friends: [{ id: '6' }, { id: '7' }, { id: '8' }] }] },
    });
  });

  it('of a list keep their places around nulls', async () => {
    const { engine } = aGraph();
    const { data } = await ask(engine, '{ everybody { id account { risk { level } } } }');
    const everybody = data?.['everybody'] as ({ account: unknown } | null)[];
    expect(everybody[0]).toBeNull();
    expect(everybody[5]).toEqual({ id: '5', account: null });
    expect(everybody[4]).toEqual({ id: '4', account: { risk: { level: 1 } } });
  });
});

describe('errors', () => {
  it('of an entity stand at each of its places', async () => {
    const { engine } = aGraph();
    const { data, errors } = await ask(engine, '{ a: customer(id: 8) { note } b: customer(id: 8) { note } }');
    expect(data).toEqual({ a: { note: null }, b: { note: null } });
    expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual(['a.note', 'b.note']);
  });

  it('of a dead subgraph stand at the fields that it leaves empty, with their indices', async () => {
    const { engine, transport } = aGraph();
    transport.dead.add('models');
    const { data, errors } = await ask(engine, '{ customers(first: 2) { name note } version }');
    expect(data).toEqual({
      customers: [
        { name: 'Customer 1', note: null },
        { name: 'Customer 2', note: null },
      ],
      version: null,
    });
    expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual([
      'customers.0.note',
      'customers.1.note',
      'version',
    ]);
  });

  it('are at most 100 for one failure', async () => {
    const { engine, transport } = aGraph();
    transport.dead.add('models');
    const { errors } = await ask(engine, '{ customers(first: 500) { note } }');
    expect(errors).toHaveLength(100);
  });

  it('of a field that must not be null leave the nearest nullable place empty', async () => {
    const { engine } = aGraph();
    const one = await ask(engine, '{ customer(id: 6) { name friend { score } } version }');
    expect(one.data).toEqual({ customer: null, version: 'v1' });
    expect(one.errors?.map(({ path }) => path)).toEqual([['customer', 'friend', 'score']]);
    const list = await ask(engine, '{ everybody { score } customers(first: 7) { score } }');
    expect(list.data).toBeNull();
    const nullable = await ask(engine, '{ everybody { score } }');
    expect((nullable.data?.['everybody'] as unknown[])[7]).toBeNull();
    expect((nullable.data?.['everybody'] as unknown[])[6]).toEqual({ score: 0.6 });
  });

  it('are added where a subgraph answers null for what must not be, and says nothing', async () => {
    const { engine, transport } = aGraph();
    transport.answers.set('people', { data: { customers: [{ name: 'one' }, { name: null }] } });
    const { data, errors } = await ask(engine, '{ customers { name } version }');
    expect(data).toBeNull();
    expect(errors).toEqual([
      { message: 'Cannot return null for non-nullable field Customer.name.', path: ['customers', 1, 'name'] },
    ]);
  });

  it.each([
    ['a list where an object belongs', { customer: [] }, ['customer']],
    ['an object where a text belongs', { customer: { label: {} } }, ['customer', 'label']],
    ['a text where an object belongs', { customer: 'x' }, ['customer']],
  ])('name %s', async (_, data, path) => {
    const { engine, transport } = aGraph();
    transport.answers.set('people', { data });
    const answer = await ask(engine, '{ customer(id: 1) { label } version }');
    expect(answer.data?.['version']).toBe('v1');
    expect(answer.errors?.map((error) => error.path)).toEqual([path]);
  });
});

describe('what clients may not see', () => {
  it('is null: values of enums, objects of types', async () => {
    const { engine, transport } = aGraph();
    const { data, errors } = await ask(engine, '{ customers { id tier } }');
    expect(data).toEqual({
      customers: [
        { id: '1', tier: 'PLUS' },
        { id: '2', tier: null },
        { id: '3', tier: 'FREE' },
      ],
    });
    expect(errors).toBeUndefined();
    transport.answers.set('people', { data: { found: [{ __typename: 'Ghost', id: '1' }] } });
    expect((await ask(engine, '{ found { id } }')).data).toBeNull();
  });

  it('is unknown to the schema, as are the parts of composition', async () => {
    const { engine } = aGraph();
    const { data } = await ask(engine, '{ __schema { types { name } directives { name } } version }');
    const names = (data?.['__schema'] as { types: { name: string }[] }).types.map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith('__'))).toEqual(
      expect.arrayContaining(['Customer', 'Account', 'Tier', 'Renamed']),
    );
    expect(names.some((name) => /^(join|link|federation)__|Ghost/.test(name))).toBe(false);
    expect(data?.['version']).toBe('v1');
    expect((await ask(engine, '{ found { ... on Ghost { id } } }')).errors?.[0]?.extensions).toMatchObject({
      code: 'GRAPHQL_VALIDATION_FAILED',
    });
  });
});

describe('withheld fields', () => {
  const closed = (...coordinates: string[]) =>
    new Map(
      coordinates.map((name) => [
        name,
        new GraphQLError(`${name} is closed`, { extensions: { code: 'FORBIDDEN' } }),
      ]),
    );

  it('are null with an error each, are not fetched, and the rest is answered', async () => {
    const { engine, transport } = aGraph();
    const { data, errors } = await ask(engine, '{ customers(first: 2) { id note } }', {
      withheld: closed('Customer.note'),
    });
    expect(data).toEqual({
      customers: [
        { id: '1', note: null },
        { id: '2', note: null },
      ],
    });
    expect(errors?.map(({ path }) => path?.join('.'))).toEqual(['customers.0.note', 'customers.1.note']);
    expect(transport.fetches.map(({ subgraph }) => subgraph)).toEqual(['people']);
    expect((await ask(engine, '{ customers(first: 1) { note } }')).data).toEqual({
      customers: [{ note: 'note 1' }],
    });
  });

  it('that must not be null leave the nearest nullable place empty', async () => {
    const { engine } = aGraph();
    const { data, errors } = await ask(engine, '{ customer(id: 1) { id score } version }', {
      withheld: closed('Customer.score'),
    });
    expect(data).toEqual({ customer: null, version: 'v1' });
    expect(errors?.map(({ path }) => path)).toEqual([['customer', 'score']]);
  });

  it('cost no fetch when nothing else is asked for', async () => {
    const { engine, transport } = aGraph();
    const { data } = await ask(engine, '{ version x: __typename }', { withheld: closed('Query.version') });
    expect(data).toEqual({ version: null, x: 'Query' });
    expect(transport.fetches).toEqual([]);
  });

  it('refuse a mutation as a whole', async () => {
    const { engine, transport } = aGraph();
    const answer = await ask(engine, 'mutation { rename(id: 1, to: "x") { id } forget(id: 1) }', {
      withheld: closed('Mutation.forget'),
    });
    expect(answer.data).toBeUndefined();
    expect(answer.errors?.[0]?.message).toBe('Mutation.forget is closed');
    expect(transport.fetches).toEqual([]);
  });
});

describe('an operation', () => {
  it('selects by conditions, fragments and types as its variables say', async () => {
    const { engine } = aGraph();
    const query = `query ($all: Boolean!, $first: Int = 2) {
      customers(first: $first) { ...names @include(if: $all) id @skip(if: $all) kind: __typename }
      found { __typename ... on Customer { name } ... on Account { owner { name } } }
    } fragment names on Customer { name label }`;
    const all = await ask(engine, query, { variables: { all: true, first: 1 } });
    expect(all.data?.['customers']).toEqual([{ name: 'Customer 1', label: 'c1', kind: 'Customer' }]);
    const few = await ask(engine, query, { variables: { all: false } });
    expect(few.data?.['customers']).toEqual([
      { id: '1', kind: 'Customer' },
      { id: '2', kind: 'Customer' },
    ]);
    expect(few.data?.['found']).toEqual([
      { __typename: 'Customer', name: 'Customer 1' },
      { __typename: 'Account', owner: { name: 'Customer 2' } },
      { __typename: 'Customer', name: 'Customer 2' },
    ]);
  });

  it('of mutations is done in order', async () => {
    const { engine, transport } = aGraph();
    await ask(
      engine,
      'mutation { a: rename(id: 1, to: "a") { id } forget(id: 2) b: rename(id: 3, to: "b") { id } }',
    );
    expect(transport.fetches.map(({ subgraph }) => subgraph)).toEqual(['people', 'models', 'people']);
  });

  it('is not sent on when nobody waits for it any more', async () => {
    const { engine, transport } = aGraph();
    const late = { deadlineMs: Date.now() - 1 } as GatewayContext;
    const { errors } = await ask(engine, '{ version }', { context: late });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'SUBGRAPH_DEADLINE_EXCEEDED' });
    const gone = {
      deadlineMs: Date.now() + 10_000,
      signal: AbortSignal.abort(),
    } as unknown as GatewayContext;
    await ask(engine, '{ version }', { context: gone });
    expect(transport.fetches).toEqual([]);
  });

  it('cannot name anything __proto__', async () => {
    const { engine } = aGraph();
    const { errors } = await ask(engine, '{ __proto__: customer(id: 1) { id } }');
    expect(errors?.[0]?.message).toContain('__proto__');
  });

  it('is planned once for each set of withheld fields', async () => {
    const { engine } = aGraph();
    for (let time = 0; time < 3; time += 1) await ask(engine, '{ customers { note } }');
    await ask(engine, '{ customers { note } }', {
      withheld: new Map([['Customer.note', new GraphQLError('no')]]),
    });
    expect(engine.planCounts).toEqual({ hits: 2, misses: 2 });
  });
});

describe('a subscription', () => {
  it('joins entities of other subgraphs into each event', async () => {
    const { engine } = aGraph();
    const request = requestOf(
      engine,
      'subscription { changed: renamed { cursor customer { name note } } }',
      {},
    );
    if (!('prepared' in request)) throw new Error(JSON.stringify(request));
    const events = await engine.subscribe(request);
    if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
    const seen = [];
    for await (const event of events) seen.push(JSON.parse(JSON.stringify(event)));
    expect(seen).toEqual([
      { data: { changed: { cursor: 'at-1', customer: { name: 'Customer 1', note: 'note 1' } } } },
      {
        data: { changed: { cursor: 'at-8', customer: { name: 'Customer 8', note: null } } },
        errors: [expect.objectContaining({ path: ['changed', 'customer', 'note'] })],
      },
    ]);
  });
});
