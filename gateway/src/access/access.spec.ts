import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSupergraph } from '../supergraph/supergraph.js';
import { aGateway, type Answer, ask, composeTiny } from '../test-gateway.js';

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

describe('authentication', () => {
  const refused = [401, undefined, ['UNAUTHENTICATED']];

  it('gives the anonymous nothing, not even the schema, and asks no subgraph', async () => {
    const before = asked();
    expect(outcome(await withToken(undefined))).toEqual(refused);
    expect(outcome(await withToken(undefined, '{ __schema { types { name } } }'))).toEqual(refused);
    expect(asked()).toBe(before);
  });

  it('refuses unsigned, expired, foreign, tampered and half-made tokens alike', async () => {
    const unsigned = new UnsecuredJWT({ sub: 'a', tenant: 'demo', scope: 'customer:read' })
      .setIssuer('sextant-local')
      .setAudience('sextant')
      .setExpirationTime('5m')
      .encode();
    const { privateKey } = await generateKeyPair('ES256');
    const foreign = await new SignJWT({ sub: 'a', tenant: 'demo', scope: 'customer:read' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer('sextant-local')
      .setAudience('sextant')
      .setExpirationTime('5m')
      .sign(privateKey);
    const secret = new TextEncoder().encode('a secret of thirty-two characters');
    const symmetric = await new SignJWT({ sub: 'a', tenant: 'demo' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setIssuer('sextant-local')
      .setAudience('sextant')
      .setExpirationTime('5m')
      .sign(secret);
    const [header, , signature] = (await running.token()).split('.');
    const payload = Buffer.from(
      JSON.stringify({ sub: 'a', tenant: 'other', scope: 'customer:read', exp: 9_999_999_999 }),
    ).toString('base64url');
    const bad = [
      unsigned,
      foreign,
      symmetric,
      `${header}.${payload}.${signature}`,
      'nonsense',
      await running.token({}, '-1s'),
    ];
    bad.push(
      await running.token({ iss: 'someone' }),
      await running.token({ tenant: 'not a label' }),
      await running.token({ tenant: undefined }),
      await running.token({ scope: 7 }),
    );
    const before = asked();
    for (const token of bad) expect(outcome(await withToken(token))).toEqual(refused);
    expect(asked()).toBe(before);
  });

  it('accepts a key that was added to the file after the start', async () => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    writeFileSync(
      join(running.folder, 'jwks.json'),
      JSON.stringify({
        keys: [running.publicJwk, { ...(await exportJWK(publicKey)), kid: 'two', alg: 'EdDSA' }],
      }),
    );
    const token = await new SignJWT({ sub: 'a', tenant: 'demo', scope: 'customer:read' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'two' })
      .setIssuer('sextant-local')
      .setAudience('sextant')
      .setExpirationTime('5m')
      .sign(privateKey);
    expect((await withToken(token)).data).toEqual({ customer: { id: '1' } });
  });
});

describe('authorisation', () => {
  const forbidden = [403, undefined, ['FORBIDDEN']];
  let shop: string;
  beforeAll(async () => {
    shop = await running.token({ scope: 'customer:read catalogue:read decision:read' });
  });

  it('refuses an operation with one field too many before any subgraph hears of it', async () => {
    const before = asked();
    const answer = await withToken(shop, '{ product(id:"1"){ title cost } }');
    expect(outcome(answer)).toEqual(forbidden);
    expect(answer.errors?.[0]?.message).toContain('Product.cost');
    expect(asked()).toBe(before);
  });

  it('is counted by code', async () => {
    await withToken(undefined);
    const metrics = await (await fetch(running.gateway.metricsUrl)).text();
    expect(metrics).toMatch(/sextant_gateway_errors_total\{code="FORBIDDEN"\} [1-9]/);
    expect(metrics).toMatch(/sextant_gateway_errors_total\{code="UNAUTHENTICATED"\} [1-9]/);
  });

  it('sees through aliases, fragments, interfaces and several operations', async () => {
    const documents = [
      '{ a: product(id:"1"){ b: cost } }',
      'query { product(id:"1"){ ...F } } fragment F on Product { ...G } fragment G on Product { cost }',
      '{ product(id:"1"){ ... on Product { ... { cost } } } }',
      '{ decision { note } }',
      '{ decision { ... on Quote { note } } }',
      'mutation { ingestEvents(events: []) }',
    ];
    for (const document of documents) expect(outcome(await withToken(shop, document))).toEqual(forbidden);
    const two = {
      query: 'query Open { whoami } query Closed { product(id:"1"){ cost } }',
      operationName: 'Open',
    };
    expect((await ask(running.gateway.url, two, { authorization: `Bearer ${shop}` })).status).toBe(200);
    expect(
      (
        await ask(
          running.gateway.url,
          { ...two, operationName: 'Closed' },
          { authorization: `Bearer ${shop}` },
        )
      ).status,
    ).toBe(403);
  });

  it('lets a field pass that @include or @skip leaves out, and only then', async () => {
    const query =
      'query($all:Boolean! = true){ product(id:"1"){ title ...F @include(if:$all) } } fragment F on Product { cost }';
    expect((await withToken(shop, query, { all: false })).data).toEqual({ product: { title: 'Product 1' } });
    expect(outcome(await withToken(shop, query, { all: true }))).toEqual(forbidden);
    expect(outcome(await withToken(shop, query))).toEqual(forbidden);
    expect(outcome(await withToken(shop, '{ product(id:"1"){ cost @skip(if: false) } }'))).toEqual(forbidden);
    expect((await withToken(shop, '{ product(id:"1"){ id cost @skip(if: true) } }')).data).toEqual({
      product: { id: '1' },
    });
  });

  it('opens with the scope', async () => {
    const token = await running.token({ scope: 'catalogue:read campaign:read' });
    expect((await withToken(token, '{ product(id:"1"){ title cost } }')).data).toEqual({
      product: { title: 'Product 1', cost: '5.00' },
    });
  });
});

describe('readSupergraph', () => {
  const link = (names: string) =>
    `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${names}])`;

  it('refuses a security directive that nothing enforces', () => {
    const sdl = composeTiny({
      a: `${link('"@policy", "@requiresScopes"')} type Query { a: Int @policy(policies: [["p"]]) @requiresScopes(scopes: [["x"]]) }`,
    });
    expect(() => readSupergraph(sdl)).toThrow(DomainError);
    expect(() => readSupergraph(sdl)).toThrow(/policy/);
  });

  it('refuses a root field without a rule', () => {
    expect(() => readSupergraph(composeTiny({ a: 'type Query { a: Int }' }))).toThrow(
      /Query\.a must state @requiresScopes/,
    );
  });
});
