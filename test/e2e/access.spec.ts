import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, inject, it } from 'vitest';
import { ask, askOk } from '../support/graph.js';
import { Q1, Q4 } from '../support/operations.js';
import { issueToken } from '../support/running-sextant.js';

const { access, dataDir } = inject('sextant');
const { graphql, tokens } = access;

const gatewayPort = Number(new URL(graphql).port);
const SUBGRAPHS = { customer: gatewayPort + 1, campaign: gatewayPort + 2, prediction: gatewayPort + 3 };

/** Every leaf of an answer's data is null. */
function isEmpty(data: unknown): boolean {
  if (data === null || data === undefined) return true;
  return typeof data === 'object' && Object.values(data).every(isEmpty);
}

async function aCustomer(): Promise<string> {
  const { customers } = await askOk<{ customers: { nodes: { id: string }[] } }>(
    graphql,
    tokens.operator,
    '{ customers(first: 1) { nodes { id } } }',
  );
  return customers.nodes[0]?.id ?? '';
}

const PROTECTED = [
  '{ customers(first: 5) { nodes { id } endCursor } }',
  '{ products(first: 5) { nodes { id title } } }',
  '{ model(id: "lead") { id live { id } } }',
  '{ priceQuotes(productIds: ["1"]) { token } }',
  '{ sessionRecommendations(session: { anonymousRef: "a", viewed: [] }, slot: "home") { decisionId } }',
  'mutation { ingestEvents(events: []) { accepted } }',
  'mutation { trainModel(input: { task: "lead" }) { id } }',
];

describe('an anonymous caller', () => {
  it.each(PROTECTED)('gets no data and a code for %s', async (query) => {
    const { data, errors } = await ask(graphql, null, query);
    expect(isEmpty(data)).toBe(true);
    expect(errors.length).toBeGreaterThan(0);
    for (const { extensions } of errors)
      expect(extensions?.code).toMatch(/^(UNAUTHENTICATED|UNAUTHORIZED_FIELD_OR_TYPE)$/);
  });
});

describe('a bad token', () => {
  const forged = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  const claims = Buffer.from(
    JSON.stringify({
      sub: 'x',
      tenant: 'demo',
      scope: 'customer:read',
      iss: 'sextant-local',
      aud: 'sextant',
      exp: 4e9,
    }),
  ).toString('base64url');
  const key = new TextEncoder().encode('a key that is not ours, but long enough');

  it.each([
    ['of the none algorithm', () => Promise.resolve(`${forged}.${claims}.`)],
    [
      'of another key',
      () =>
        new SignJWT({ tenant: 'demo', scope: 'customer:read' })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer('sextant-local')
          .setAudience('sextant')
          .setSubject('x')
          .setExpirationTime('1h')
          .sign(key),
    ],
    ['of another issuer', () => issueToken(dataDir, { tenant: 'demo', role: 'operator', iss: 'elsewhere' })],
    [
      'for another audience',
      () => issueToken(dataDir, { tenant: 'demo', role: 'operator', aud: 'elsewhere' }),
    ],
    ['that has expired', () => issueToken(dataDir, { tenant: 'demo', role: 'operator', exp: 1 })],
    ['without a tenant', () => issueToken(dataDir, { tenant: '', role: 'operator' })],
    ['that is no token', () => Promise.resolve('nonsense')],
  ])('%s is refused', async (_what, make) => {
    const { data, errors, status } = await ask(
      graphql,
      await make(),
      '{ customers(first: 1) { nodes { id } } }',
    );
    expect(isEmpty(data)).toBe(true);
    expect(errors[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    expect(status).toBe(401);
  });
});

describe('a role without the scope', () => {
  it.each([
    ['partner', Q4.replace('query Q4($ids: [ID!]!)', 'query').replace('$ids', '["cus_1"]')],
    ['web', '{ customers(first: 1) { nodes { id events(first: 1) { nodes { id } } } } }'],
    ['web', '{ products(first: 1) { nodes { id cost { amount } } } }'],
    ['marketer', 'mutation { trainModel(input: { task: "lead" }) { id } }'],
    ['partner', 'mutation { ingestEvents(events: []) { accepted } }'],
    ['analyst', 'mutation { upsertProducts(products: []) { upserted } }'],
  ] as const)('%s gets an error code and nothing else for %s', async (role, query) => {
    const { data, errors } = await ask<Record<string, unknown>>(graphql, tokens[role], query);
    expect(errors.map(({ extensions }) => extensions?.code)).toContainEqual(
      expect.stringMatching(/^(FORBIDDEN|UNAUTHORIZED_FIELD_OR_TYPE)$/),
    );
    expect(JSON.stringify(data)).not.toMatch(/probability|cost":\{|job_|events":\{/);
  });
});

describe("another tenant's id", () => {
  it('yields no data under any alias, and says nothing of whether it exists', async () => {
    const id = await aCustomer();
    const stranger = await issueToken(dataDir, {
      tenant: `other-${randomUUID().slice(0, 8)}`,
      role: 'operator',
    });
    const query = `query ($id: ID!) { a: customer(id: $id) { id lifecycle leadScore { probability } } b: customersByIds(ids: [$id]) { id } c: scoreLeads(customerIds: [$id]) { probability } }`;
    const real = await ask(graphql, stranger, query, { id });
    const invented = await ask(graphql, stranger, query, { id: 'cus_000000000000000000000000' });
    expect(isEmpty(real.data)).toBe(true);
    expect(real.data).toEqual(invented.data);
    expect(real.errors.map(({ extensions }) => extensions?.code)).toEqual(
      invented.errors.map(({ extensions }) => extensions?.code),
    );
  });

  it('yields no decision of another tenant', async () => {
    const { customer } = await askOk<{ customer: { recommendations: { decisionId: string } } }>(
      graphql,
      tokens.web,
      Q1,
      { id: await aCustomer() },
    );
    const stranger = await issueToken(dataDir, { tenant: 'stranger', role: 'operator' });
    const { data } = await ask<{ decision: unknown }>(
      graphql,
      stranger,
      'query ($id: ID!) { decision(id: $id) { output } }',
      { id: customer.recommendations.decisionId },
    );
    expect(data?.decision).toBeNull();
  });
});

describe("a subgraph's own port", () => {
  const entities =
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { id } ... on Product { id } } }';

  it.each(Object.entries(SUBGRAPHS))(
    '%s refuses _entities without our signature, with a code',
    async (_name, port) => {
      const variables = { r: [{ __typename: 'Customer', id: await aCustomer() }] };
      for (const token of [null, tokens.operator]) {
        const { status, data, errors } = await ask(
          `http://127.0.0.1:${port}/graphql`,
          token,
          entities,
          variables,
        );
        expect(status).toBe(401);
        expect(data).toBeNull();
        expect(errors[0]?.extensions?.code).toBe('SIGNATURE_INVALID');
      }
    },
  );

  it.each(Object.entries(SUBGRAPHS))('%s refuses a made-up identity header', async (_name, port) => {
    const identity = Buffer.from(
      JSON.stringify({ subject: 'x', tenantId: 'demo', roles: ['operator'], scopes: ['customer:read'] }),
    ).toString('base64url');
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-sextant-identity': identity,
        'x-sextant-time': String(Date.now()),
        'x-sextant-signature': 'AAAA',
      },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect(response.status).toBe(401);
  });
});
