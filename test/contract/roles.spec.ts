import { type Role, ROLE_SCOPES, SCOPES } from '@sextant/domain';
import { signRequest } from '@sextant/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/graph.js';
import { identityOf, type RunningGraph, SECRET, startGraph } from './graph-processes.js';
import {
  closedAt,
  opens,
  type Probe,
  probes,
  type Rights,
  rootFields,
  subscriptions,
  unreached,
} from './supergraph-rules.js';

/** Partners have an endpoint of their own. */
const ROLES = (Object.keys(ROLE_SCOPES) as Role[]).filter((role) => role !== 'partner');
const PROBES = probes();

let graph: RunningGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph?.stop());

const codesOf = (errors: { extensions?: { code?: string } }[]) =>
  errors.map(({ extensions }) => extensions?.code);

describe('the rules of the supergraph', () => {
  it('cover every root field, and name only scopes that tokens can carry', () => {
    expect(rootFields().filter(({ rules }) => rules.length === 0)).toEqual([]);
    const scopes = PROBES.flatMap(({ rules }) => rules).filter(({ rule }) => rule.kind === 'requiresScopes');
    const named = scopes.flatMap(({ rule }) => rule.anyOf.flat());
    expect(named.filter((scope) => !(SCOPES as readonly string[]).includes(scope))).toEqual([]);
  });

  it('stand on fields that can be reached from a root', () => {
    expect(unreached().filter((coordinate) => !coordinate.startsWith('Subscription.'))).toEqual([]);
    expect(subscriptions().length).toBeGreaterThan(3);
    expect(PROBES.length).toBeGreaterThan(30);
  });
});

describe('an anonymous caller', () => {
  it('gets no data of any protected field', async () => {
    for (const { coordinate, query } of PROBES) {
      const { status, data, errors } = await ask(graph.url, null, query);
      expect([coordinate, status, data, codesOf(errors)]).toEqual([
        coordinate,
        401,
        null,
        ['UNAUTHENTICATED'],
      ]);
    }
  });
});

const rightsOf = (role: Role): Rights => ({ roles: [role], scopes: ROLE_SCOPES[role] });

/** A field far from a root may cost more than a role's budget by the shortest way there: refused before access is asked. */
const isTooDear = (errors: { extensions?: { code?: string } }[]): boolean =>
  codesOf(errors).includes('QUERY_TOO_EXPENSIVE');

/** Values of an answer that are neither null nor a name of a type. */
function valuesIn(data: unknown): unknown[] {
  if (data === null || typeof data !== 'object') return data === null || data === undefined ? [] : [data];
  return Object.entries(data).flatMap(([name, value]) => (name === '__typename' ? [] : valuesIn(value)));
}

describe.each(ROLES)('the role %s', (role) => {
  const rights = rightsOf(role);
  const allowed = PROBES.filter((probe) => opens(probe, rights));
  const refused = PROBES.filter((probe) => !opens(probe, rights));
  const isRootClosed = (probe: Probe) => closedAt(probe, rights)?.length === 1;

  it('is refused mutations that it may not do as a whole', async () => {
    const token = await graph.tokenOf(role);
    for (const { coordinate, query } of refused.filter((probe) => probe.isMutation && isRootClosed(probe))) {
      const { status, data, errors } = await ask(graph.url, token, query);
      expect([coordinate, status, data, codesOf(errors)]).toEqual([coordinate, 403, null, ['FORBIDDEN']]);
    }
    expect(refused.length > 0).toBe(role !== 'operator');
  });

  it('gets null and a code at the path of a closed root field, and the rest of the answer', async () => {
    const token = await graph.tokenOf(role);
    for (const probe of refused.filter((one) => !one.isMutation && isRootClosed(one))) {
      const { coordinate, query } = probe;
      const { status, data, errors } = await ask(graph.url, token, query.replace('{', '{ rest: __typename '));
      const path = closedAt(probe, rights);
      if (isTooDear(errors)) {
        expect([coordinate, data]).toEqual([coordinate, null]);
        continue;
      }
      expect([coordinate, status, errors.map(({ path: at, extensions }) => [at, extensions?.code])]).toEqual([
        coordinate,
        200,
        [[path, 'FORBIDDEN']],
      ]);
      // A root field that promises a value takes the answer with it, as GraphQL has it.
      if (data !== null)
        expect([coordinate, data]).toEqual([coordinate, { rest: 'Query', [path?.[0] ?? '']: null }]);
    }
  });

  it('learns nothing through a closed field further down', async () => {
    const token = await graph.tokenOf(role);
    for (const probe of refused.filter((one) => !isRootClosed(one) && !one.isMutation)) {
      const { coordinate, query } = probe;
      const { status, data, errors } = await ask(graph.url, token, query);
      expect([coordinate, valuesIn(data)]).toEqual([coordinate, []]);
      expect([coordinate, status]).toEqual([coordinate, isTooDear(errors) ? status : 200]);
      const faults = codesOf(errors).filter((code) =>
        /INTERNAL|SUBGRAPH|VALIDATION|PARSE/.test(code ?? 'none'),
      );
      expect([coordinate, faults]).toEqual([coordinate, []]);
    }
  });

  it('is refused the events of a closed subscription', async () => {
    const token = await graph.tokenOf(role);
    const closed = subscriptions().filter((probe) => !opens(probe, rights));
    for (const { coordinate, query } of closed) {
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
      const response = await post(graph.url, JSON.stringify({ query }), headers);
      expect([coordinate, await response.text()]).toEqual([
        coordinate,
        expect.stringContaining('"FORBIDDEN"'),
      ]);
    }
  });

  it('may ask for the rest, and no answer is a fault', async () => {
    const token = await graph.tokenOf(role);
    for (const { coordinate, query } of allowed) {
      const { errors } = await ask(graph.url, token, query);
      const bad = codesOf(errors).filter((code) =>
        /FORBIDDEN|UNAUTHENTICATED|INTERNAL|SUBGRAPH|VALIDATION|PARSE/.test(code ?? 'none'),
      );
      expect([coordinate, bad, query]).toEqual([coordinate, [], query]);
    }
    expect(allowed.length).toBeGreaterThan(0);
  });
});

describe('a partner', () => {
  const partnerUrl = (): string => graph.url.replace('/graphql', '/partner/graphql');

  it('is not let in at the company’s endpoint, whatever it asks', async () => {
    const token = await graph.tokenOf('partner');
    for (const { coordinate, query } of PROBES) {
      const { status, data, errors } = await ask(graph.url, token, query);
      expect([coordinate, status, data, codesOf(errors)]).toEqual([coordinate, 403, null, ['FORBIDDEN']]);
    }
  });

  it('knows at its own endpoint what is tagged for it only, and of that sees what its scopes open', async () => {
    const token = await graph.tokenOf('partner');
    let seen = 0;
    for (const probe of PROBES) {
      const { coordinate, query } = probe;
      const { data, errors } = await ask(partnerUrl(), token, query);
      const codes = codesOf(errors);
      if (codes.some((code) => /VALIDATION|OPERATION_RESOLUTION/.test(code ?? ''))) {
        expect([coordinate, data]).toEqual([coordinate, null]);
        continue;
      }
      seen += 1;
      if (!opens(probe, rightsOf('partner'))) expect([coordinate, valuesIn(data)]).toEqual([coordinate, []]);
      else expect([coordinate, codes.includes('FORBIDDEN')]).toEqual([coordinate, false]);
    }
    expect(seen).toBeGreaterThan(3);
  });

  it('never sees a commercial secret, whatever scopes its token carries', async () => {
    const everything = await graph.tokenWith({ roles: ['partner'], scope: SCOPES.join(' ') });
    const secrets = PROBES.filter(({ rules }) => rules.some(({ rule }) => rule.kind === 'policy'));
    expect(secrets.map(({ coordinate }) => coordinate)).toEqual(
      expect.arrayContaining(['Product.cost', 'PriceQuote.expectedMargin']),
    );
    for (const { coordinate, query } of secrets) {
      const { data } = await ask(partnerUrl(), everything, query);
      expect([coordinate, valuesIn(data)]).toEqual([coordinate, []]);
    }
  });
});

describe('a token that is not what it should be', () => {
  const query = '{ products(first: 1) { nodes { id } } }';

  it.each([
    ['of another issuer', { iss: 'someone' }],
    ['for another audience', { aud: 'elsewhere' }],
    ['that has expired', { exp: Math.floor(Date.now() / 1_000) - 1 }],
    ['that holds later', { nbf: Math.floor(Date.now() / 1_000) + 60 }],
    ['without a tenant', { tenant: undefined }],
    ['of a tenant that is none', { tenant: 'Demo!' }],
  ])('%s opens nothing', async (_what, claims) => {
    const token = await graph.tokenWith({ roles: ['operator'], scope: SCOPES.join(' '), ...claims });
    const { status, data, errors } = await ask(graph.url, token, query);
    expect([status, data, codesOf(errors)]).toEqual([401, null, ['UNAUTHENTICATED']]);
  });

  it.each([
    ['that is unsigned', () => unsignedToken()],
    ['that is signed with the public key as a secret', () => graph.tokenSignedWithPublicKey()],
  ])('%s opens nothing', async (_what, make) => {
    const { status, data, errors } = await ask(graph.url, await make(), query);
    expect([status, data, codesOf(errors)]).toEqual([401, null, ['UNAUTHENTICATED']]);
  });
});

describe('a subgraph behind a gateway that checks nothing', () => {
  it('refuses root fields without their scopes by itself', async () => {
    const nobody = { ...identityOf('operator'), scopes: [] };
    const closed = PROBES.filter((probe) => closedAt(probe, nobody)?.length === 1);
    for (const { coordinate, query } of closed.filter(({ rules }) =>
      rules.every(({ path }) => path.length === 1),
    )) {
      const answers = await Promise.all(
        Object.values(graph.subgraphs).map((url) => askSigned(url, query, nobody)),
      );
      const owners = answers.filter(
        ({ errors }) => !errors.some(({ extensions }) => extensions?.code === 'GRAPHQL_VALIDATION_FAILED'),
      );
      expect(owners.length, coordinate).toBeGreaterThan(0);
      for (const { errors } of owners)
        expect([coordinate, codesOf(errors)]).toEqual([coordinate, ['FORBIDDEN']]);
    }
  });

  it('keeps commercial secrets from a shop that has the scopes by mistake', async () => {
    const upsert =
      'mutation { upsertProducts(products: [{ id: "p1", title: "Tea", cost: { amount: "1.00", currency: "EUR" } }]) { upserted } }';
    const { errors: faults } = await ask(graph.url, await graph.tokenOf('operator'), upsert);
    expect(faults).toEqual([]);
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { title cost { amount } } } }';
    const variables = { r: [{ __typename: 'Product', id: 'p1' }] };
    const asked = (identity: ReturnType<typeof identityOf>) =>
      askSigned(graph.subgraphs['campaign'] ?? '', query, identity, variables);
    const shop = await asked({ ...identityOf('web'), scopes: SCOPES });
    expect([shop.data, codesOf(shop.errors)]).toEqual([
      { _entities: [{ title: 'Tea', cost: null }] },
      ['FORBIDDEN'],
    ]);
    const company = await asked(identityOf('operator'));
    expect(company.data).toEqual({ _entities: [{ title: 'Tea', cost: { amount: '1.00' } }] });
  });

  const ask1 = JSON.stringify({ query: '{ __typename }' });
  const signed = (atMs: number, changed: { receiver: string; path?: string }, secret = SECRET) =>
    signRequest({ method: 'POST', path: '/graphql', body: ask1, ...changed }, identityOf('operator'), {
      secret,
      nowMs: atMs,
    });

  it('refuses what is unsigned, stale, early, replayed, changed or meant for another, and answers what is signed', async () => {
    for (const [receiver, url] of Object.entries(graph.subgraphs)) {
      const signedAt = (atMs: number) => signed(atMs, { receiver });
      const statusOf = async (headers: Record<string, string>, body = ask1) =>
        (await post(url, body, headers)).status;
      const good = signedAt(Date.now());
      const other = Buffer.from(JSON.stringify({ ...identityOf('operator'), tenantId: 'other' })).toString(
        'base64url',
      );
      expect(await statusOf({})).toBe(401);
      expect(await statusOf({ authorization: `Bearer ${await graph.tokenOf('operator')}` })).toBe(401);
      expect(await statusOf(signedAt(Date.now() - 31_000))).toBe(401);
      expect(await statusOf(signedAt(Date.now() + 31_000))).toBe(401);
      expect(await statusOf(signed(Date.now(), { receiver, path: '/elsewhere' }))).toBe(401);
      expect(await statusOf(signed(Date.now(), { receiver }, `${SECRET}!`))).toBe(401);
      for (const other of Object.keys(graph.subgraphs).filter((name) => name !== receiver))
        expect(await statusOf(signed(Date.now(), { receiver: other }))).toBe(401);
      expect(await statusOf(good, JSON.stringify({ query: '{ a: __typename }' }))).toBe(401);
      expect(await statusOf({ ...good, 'x-sextant-identity': other })).toBe(401);
      expect(await statusOf({ ...good, 'x-sextant-time': String(Date.now() + 1) })).toBe(401);
      expect(await statusOf({ ...good, 'x-sextant-nonce': crypto.randomUUID() })).toBe(401);
      expect(await statusOf(good)).toBe(200);
      expect(await statusOf(good)).toBe(401);
    }
  });
});

function unsignedToken(): Promise<string> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    sub: 'x',
    tenant: 'demo',
    scope: SCOPES.join(' '),
    iss: 'sextant-local',
    aud: 'sextant',
    exp: 4e9,
  };
  return Promise.resolve(`${part({ alg: 'none' })}.${part(claims)}.`);
}

function post(url: string, body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}

async function askSigned(
  url: string,
  query: string,
  identity: ReturnType<typeof identityOf>,
  variables: Record<string, unknown> = {},
) {
  const body = JSON.stringify({ query, variables });
  const signing = { secret: SECRET, nowMs: Date.now() };
  const receiver = Object.keys(graph.subgraphs).find((name) => graph.subgraphs[name] === url) ?? '';
  const signature = signRequest({ receiver, method: 'POST', path: '/graphql', body }, identity, signing);
  const response = await post(url, body, signature);
  const { data = null, errors = [] } = (await response.json()) as {
    data?: unknown;
    errors?: { extensions?: { code?: string } }[];
  };
  return { data, errors };
}
