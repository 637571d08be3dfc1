import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, type Answer, ask } from '../test-gateway.js';

type Running = Awaited<ReturnType<typeof aGateway>>;
interface Charged extends Answer {
  extensions?: {
    cost: { estimated: number; actual: number; limit: number; remaining: number; inferenceRows: number };
  };
}

const codesOf = ({ errors }: Answer) => errors?.map(({ extensions }) => extensions.code);
const asked = ({ subgraphs }: Running): number =>
  Object.values(subgraphs).reduce((sum, { requests }) => sum + requests.length, 0);

async function query(running: Running, text: string, claims: object = {}): Promise<Charged> {
  const token = await running.token({ ...claims });
  return ask(running.gateway.url, { query: text }, { authorization: `Bearer ${token}` });
}

/** Asks until the answer is as wanted. */
async function until<T>(attempt: () => Promise<T>, isWanted: (value: T) => boolean): Promise<T> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const value = await attempt();
    if (isWanted(value)) return value;
    if (Date.now() > deadlineMs) throw new Error(`still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('limits of operations', () => {
  let running: Running;
  beforeAll(async () => {
    running = await aGateway();
  });
  afterAll(() => running.stop());

  it.each([
    [
      'of depth 20',
      `{ customer(id: "1") { ${'friend { '.repeat(18)} id ${'}'.repeat(18)} } }`,
      'QUERY_TOO_DEEP',
      'nests 20',
    ],
    [
      'of 1,000 aliases',
      `{ ${Array.from({ length: 1_000 }, (_, i) => `a${i}: customer(id: "1") { id }`).join(' ')} }`,
      'QUERY_TOO_MANY_ALIASES',
      'has 1000',
    ],
    [
      'of cost 10,101',
      '{ customer(id: "1") { friends { friends { id } } } }',
      'QUERY_TOO_EXPENSIVE',
      'may cost 10101, most of it at customer.friends.friends; the limit is 10000',
    ],
    [
      'whose fragment spreads itself',
      '{ customer(id: "1") { ...A } } fragment A on Customer { id ...B } fragment B on Customer { ...A }',
      'QUERY_FRAGMENT_CYCLE',
      'A → B → A',
    ],
  ])('refuse an operation %s before any fetch, with the figure', async (_, text, code, figure) => {
    const before = asked(running);
    const answer = await query(running, text);
    expect(codesOf(answer)).toContain(code);
    expect(answer.errors?.map(({ message }) => message).join()).toContain(figure);
    expect(answer.data ?? null).toBeNull();
    expect(asked(running)).toBe(before);
  });

  it('report what was estimated and what it was', async () => {
    const { data, extensions } = await query(running, '{ customer(id: "1") { id friends { id name } } }');
    expect(data?.['customer']).toMatchObject({ friends: [{ id: 'one' }, { id: 'two' }] });
    expect(extensions?.cost).toMatchObject({ estimated: 101, actual: 3, limit: 10_000, inferenceRows: 0 });
  });

  it('let everybody who is identified see the schema, and charge for it', async () => {
    const { data, extensions } = await query(running, '{ __schema { queryType { name } } }');
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
    expect(extensions?.cost).toMatchObject({ estimated: 100, actual: 100 });
    const whole = await query(running, getIntrospectionQuery());
    expect(whole.errors).toBeUndefined();
    expect(whole.data).toHaveProperty('__schema.types');
  });
});

describe('rates', () => {
  let running: Running;
  const list = '{ customer(id: "1") { friends { id } } }';
  beforeAll(async () => {
    running = await aGateway({ SEXTANT_COST_RATE: '100', SEXTANT_COST_BURST: '300' });
  });
  afterAll(() => running.stop());

  it('are by cost, for each client of each tenant; what was estimated too much is given back', async () => {
    const claims = { sub: 'one' };
    const first = await query(running, list, claims);
    expect(first.extensions?.cost.remaining).toBeGreaterThanOrEqual(297);
    // an answer with an error keeps its estimate, so three of them empty the bucket
    const failing = '{ customer(id: "1") { friends { id } } broken }';
    const answers = await Promise.all(Array.from({ length: 5 }, () => query(running, failing, claims)));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThanOrEqual(2);
    expect(limited[0]?.headers.get('retry-after')).toMatch(/^[1-9]$/);
    const [error] = limited[0]?.errors ?? [];
    expect(error?.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    expect((error?.extensions as { retryAfterMs?: number }).retryAfterMs).toBeGreaterThan(0);
    expect((await query(running, list, { sub: 'two' })).status).toBe(200);
    expect((await query(running, list, { ...claims, tenant: 'other' })).status).toBe(200);
    const served = await until(
      () => query(running, list, claims),
      ({ status }) => status === 200,
    );
    expect(served.data?.['customer']).toMatchObject({ friends: [{ id: 'one' }, { id: 'two' }] });
  });

  it('ask no subgraph for what is over them', async () => {
    const claims = { sub: 'three' };
    await Promise.all(
      [1, 2, 3].map(() => query(running, '{ customer(id: "1") { friends { id } } broken }', claims)),
    );
    const before = asked(running);
    const dearer = '{ customer(id: "1") { friends { id } more: friends { id } } }';
    expect((await query(running, dearer, claims)).status).toBe(429);
    expect(asked(running)).toBe(before);
  });
});

describe('settings by client', () => {
  let running: Running;
  const dear = '{ customer(id: "1") { friends { id } } }';
  const schema = '{ __schema { queryType { name } } }';
  const path = join(mkdtempSync(join(tmpdir(), 'sextant-clients-')), 'clients.json');
  const write = (content: unknown): void =>
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  const file = (more: object) => ({ format: 'sextant-clients', version: 1, ...more });

  beforeAll(async () => {
    write(file({ clients: { 'subject:small': { maxCost: 50 } } }));
    running = await aGateway({
      SEXTANT_CLIENTS: path,
      SEXTANT_INTROSPECTION: 'operator, marketer',
    });
  });
  afterAll(() => running.stop());

  it('say who may ask for the schema', async () => {
    const before = asked(running);
    const refused = await query(
      running,
      `{ ...F } fragment F on Query { ... { a: __type(name: "Query") { name } } }`,
    );
    expect([refused.status, codesOf(refused)]).toEqual([403, ['INTROSPECTION_DISABLED']]);
    expect((await query(running, schema, { roles: ['marketer'] })).data).toBeDefined();
    expect((await query(running, '{ __typename whoami }')).data).toMatchObject({ __typename: 'Query' });
    expect(asked(running)).toBe(before + 1);
  });

  it('say who is told what a name may have meant', async () => {
    const misspelt = '{ customr(id: "1") { id } }';
    const toldTo = async (claims: object, text = misspelt, variables = {}) => {
      const headers = { authorization: `Bearer ${await running.token({ ...claims })}` };
      const { errors } = await ask(running.gateway.url, { query: text, variables }, headers);
      return errors?.map(({ message }) => message).join();
    };
    expect(await toldTo({ roles: ['marketer'] })).toContain('Did you mean "customer"?');
    expect(await toldTo({})).toBe('Cannot query field "customr" on type "Query".');
    expect(await toldTo({}, '{ customer(i: "1") { id } }')).not.toContain('Did you mean');
    const ingest = 'mutation($e: [EventInput!]!) { ingestEvents(events: $e) }';
    const variables = { e: [{ id: '1', type: 'a', at: 'b', customerRf: 'c' }] };
    expect(await toldTo({ roles: ['marketer'] }, ingest, variables)).toContain('Did you mean "customerRef"?');
    expect(await toldTo({}, ingest, variables)).toMatch(
      /"customerRf" is not defined by type "EventInput"\.$/,
    );
  });

  it('are followed while the gateway runs; what is wrong changes nothing', async () => {
    const claims = { sub: 'small' };
    expect(codesOf(await query(running, dear, claims))).toEqual(['QUERY_TOO_EXPENSIVE']);
    expect((await query(running, dear)).errors).toBeUndefined();
    write(
      file({ clients: { 'subject:small': { maxCost: 500 } }, roles: { analyst: { introspection: true } } }),
    );
    const answer = await until(
      () => query(running, dear, claims),
      ({ errors }) => errors === undefined,
    );
    expect(answer.extensions?.cost.limit).toBe(500);
    expect((await query(running, schema)).errors).toBeUndefined();
    write('{ "format": "sextant-clients", "version": 1, "roles": { "analyst": { "maxCosts": 1 } } }');
    write(file({ tenants: { demo: { maxCost: 20 } } }));
    await until(
      () => query(running, dear),
      (found) => codesOf(found)?.[0] === 'QUERY_TOO_EXPENSIVE',
    );
    write(file({ tenants: { demo: { costRate: 1, costBurst: 5 } } }));
    await until(
      () => query(running, dear),
      ({ status }) => status === 429,
    );
    expect((await query(running, dear, { tenant: 'other' })).status).toBe(200);
  });
});

describe('documents that cannot be run', () => {
  it('cost by their length what it takes to find out, so that a flood of them ends', async () => {
    const running = await aGateway({ SEXTANT_COST_RATE: '10', SEXTANT_COST_BURST: '1000' });
    try {
      const claims = { sub: 'flood' };
      const invalid = (n: number) => `{ nothing${n} ${'x '.repeat(1_000)} }`;
      const statuses: number[] = [];
      for (let n = 0; n < 6; n += 1) statuses.push((await query(running, invalid(n), claims)).status);
      expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
      const limited = await query(running, '{ whoami }', claims);
      expect(codesOf(limited)).toEqual(['RATE_LIMITED']);
      expect(limited.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect((await query(running, '{ whoami }', { sub: 'another' })).data).toEqual({
        whoami: 'another@demo',
      });
    } finally {
      await running.stop();
    }
  });

  it('cost as much when they are too dear', async () => {
    const running = await aGateway({
      ...{ SEXTANT_COST_RATE: '10', SEXTANT_COST_BURST: '1000', SEXTANT_MAX_COST: '5' },
    });
    try {
      const dear = (n: number) => `{ customer(id: "${n}") { friends { id } } } # ${'x'.repeat(2_000)}`;
      const codes: (string | undefined)[] = [];
      for (let n = 0; n < 6; n += 1) codes.push(codesOf(await query(running, dear(n), { sub: 'dear' }))?.[0]);
      expect(codes.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'QUERY_TOO_EXPENSIVE'));
      expect(codes.slice(4)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    } finally {
      await running.stop();
    }
  });
});

describe('large bodies', () => {
  it.each(['application/json', 'text/event-stream'])('cost by their length, for %s', async (accept) => {
    const running = await aGateway({ SEXTANT_COST_RATE: '1', SEXTANT_COST_BURST: '1000' });
    try {
      const authorization = `Bearer ${await running.token({ sub: 'large' })}`;
      const send = async (characters: number) => {
        const body = JSON.stringify({
          query: 'query Twice { whoami',
          variables: { a: 'x'.repeat(characters) },
        });
        const headers = { authorization, accept, 'content-type': 'application/json' };
        const response = await fetch(running.gateway.url, { method: 'POST', headers, body });
        return { response, text: await response.text() };
      };
      for (let n = 0; n < 2; n += 1) expect((await send(300_000)).text).toContain('GRAPHQL_PARSE_FAILED');
      expect((await send(300_000)).text).toContain('RATE_LIMITED');
      const { response, text } = await send(300_000);
      expect([response.status, text.includes('RATE_LIMITED')]).toEqual([429, true]);
      expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    } finally {
      await running.stop();
    }
  });

  it('larger than a bucket holds are read while it is full', async () => {
    const running = await aGateway({ SEXTANT_COST_RATE: '1', SEXTANT_COST_BURST: '1000' });
    try {
      const authorization = `Bearer ${await running.token({ sub: 'largest' })}`;
      const body = { query: '{ whoami }', variables: { a: 'x'.repeat(3_000_000) } };
      expect((await ask(running.gateway.url, body, { authorization })).status).toBe(200);
    } finally {
      await running.stop();
    }
  });

  it('of a full batch of events leave room for the next, by default', async () => {
    const running = await aGateway();
    try {
      const authorization = `Bearer ${await running.token({ sub: 'importer' })}`;
      const body = { query: '{ whoami }', variables: { a: 'x'.repeat(400_000) } };
      for (let n = 0; n < 20; n += 1)
        expect((await ask(running.gateway.url, body, { authorization })).status).toBe(200);
    } finally {
      await running.stop();
    }
  });
});

describe('floods of bad tokens', () => {
  it('end at the address, and not for those who have been identified', async () => {
    const running = await aGateway();
    const bad = () => ask(running.gateway.url, { query: '{ whoami }' }, { authorization: 'Bearer nonsense' });
    const statuses = async (n: number) =>
      (await Promise.all(Array.from({ length: n }, bad))).map(({ status }) => status);
    try {
      expect(new Set(await statuses(200))).toEqual(new Set([401]));
      const more = await statuses(250);
      expect(more).toContain(429);
      const answer = await bad();
      expect(codesOf(answer)).toEqual(['RATE_LIMITED']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      // the bucket fills with ten attempts a second; one good token opens the address
      await until(
        () => query(running, '{ whoami }'),
        ({ status }) => status === 200,
      );
      expect(new Set(await statuses(50))).toEqual(new Set([401]));
    } finally {
      await running.stop();
    }
  });
});
