import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, type Answer, ask } from '../test-gateway.js';
import { Credentials } from './credentials.js';
import { JwksKeys } from './jwks-keys.js';
import { TokenVerifier } from './token-verifier.js';

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
const refused = [401, undefined, ['UNAUTHENTICATED']];
const QUERY = '{ customer(id:"1"){ id } }';

function send(headers: Record<string, string>, query = QUERY): Promise<Answer> {
  return ask(running.gateway.url, { query }, headers);
}

const withToken = (token: string): Promise<Answer> => send({ authorization: `Bearer ${token}` });

/** A token that is right but for what `change` does. */
function aToken(change: (token: SignJWT) => SignJWT, header: Record<string, unknown> = {}): SignJWT {
  return change(
    new SignJWT({ tenant: 'demo', scope: 'customer:read' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
      .setSubject('a')
      .setIssuer('sextant-local')
      .setAudience('sextant')
      .setExpirationTime('5m'),
  );
}

describe('authentication', () => {
  it('gives the anonymous nothing, not even the schema, and asks no subgraph', async () => {
    const before = asked();
    expect(outcome(await send({}))).toEqual(refused);
    expect(outcome(await send({}, '{ __schema { types { name } } }'))).toEqual(refused);
    expect(asked()).toBe(before);
  });

  it('refuses unsigned, expired, foreign, tampered and half-made tokens alike', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const unsigned = new UnsecuredJWT({ sub: 'a', tenant: 'demo', scope: 'customer:read' })
      .setIssuer('sextant-local')
      .setAudience('sextant')
      .setExpirationTime('5m')
      .encode();
    const asSecret = (text: string) =>
      aToken((token) => token, { alg: 'HS256' }).sign(new TextEncoder().encode(text));
    const [header, , signature] = (await running.token()).split('.');
    const payload = Buffer.from(
      JSON.stringify({ sub: 'a', tenant: 'other', scope: 'customer:read', exp: 9_999_999_999 }),
    ).toString('base64url');
    const bad = await Promise.all([
      unsigned,
      aToken((token) => token).sign(privateKey),
      asSecret('a secret of thirty-two characters'),
      asSecret(JSON.stringify(running.publicJwk)),
      `${header}.${payload}.${signature}`,
      running.token({}, '-1s'),
      running.token({ iss: 'someone' }),
      running.token({ aud: 'elsewhere' }),
      running.token({ nbf: Math.floor(Date.now() / 1_000) + 60 }),
      running.token({ tenant: 'not a label' }),
      running.token({ tenant: undefined }),
      running.token({ scope: 7 }),
      running.token({ roles: 'operator' }),
      running.token({ sub: '' }),
    ]);
    const before = asked();
    for (const token of bad) expect(outcome(await withToken(token))).toEqual(refused);
    expect(asked()).toBe(before);
  });

  it('tells no token, a malformed one and another scheme apart', async () => {
    const messageFor = async (headers: Record<string, string>) => {
      const answer = await send(headers);
      expect(outcome(answer)).toEqual(refused);
      return answer.errors?.[0]?.message;
    };
    expect(await messageFor({})).toContain('send a token');
    for (const token of ['x', 'a.b', 'a.b.c.d', 'x'.repeat(9_000)])
      expect(await messageFor({ authorization: `Bearer ${token}` })).toContain('the token is malformed');
    expect(await messageFor({ authorization: 'Basic eDp5' })).toContain(
      'the Authorization header is malformed',
    );
    expect(await messageFor({ authorization: 'Bearer a.b.c', 'x-api-key': 'k' })).toContain('send one of');
    expect(await messageFor({ 'x-api-key': `sxk_demo_${'0'.repeat(16)}_${'a'.repeat(43)}` })).toContain(
      'access keys are not served here',
    );
  });

  it('accepts a key that was added to the file after the start, and goes on without one that was spoilt', async () => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const two = { ...(await exportJWK(publicKey)), kid: 'two', alg: 'EdDSA' };
    const path = join(running.folder, 'jwks.json');
    writeFileSync(path, JSON.stringify({ keys: [running.publicJwk, two] }));
    const token = await aToken((made) => made, { alg: 'EdDSA', kid: 'two' }).sign(privateKey);
    expect((await withToken(token)).data).toEqual({ customer: { id: '1' } });
    writeFileSync(path, 'no JSON');
    const unknown = await aToken((made) => made, { alg: 'EdDSA', kid: 'three' }).sign(privateKey);
    expect(outcome(await withToken(unknown))).toEqual(refused);
    expect((await withToken(await running.token({ sub: 'another' }))).data).toEqual({
      customer: { id: '1' },
    });
  });
});

describe('keys at a URL', () => {
  let server: Server;
  let answer: { status: number; body: string };
  let fetches: number;
  let nowMs: number;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = createServer((_request, response) => {
      fetches += 1;
      response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function anIssuer(kid: string) {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
    let serial = 0;
    const token = (expires = '5m') =>
      aToken((made) => made.setSubject(`s${(serial += 1)}`).setExpirationTime(expires), { kid }).sign(
        privateKey,
      );
    return { jwk, token, publicKey };
  }

  const set = (...keys: JWK[]) => ({ status: 200, body: JSON.stringify({ keys }) });

  async function aVerifier() {
    [fetches, nowMs] = [0, Date.now()];
    const location = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const keys = await JwksKeys.open({ location, nowMs: () => nowMs, onProblem: () => undefined });
    const expected = { issuer: 'sextant-local', audience: 'sextant' };
    const verifier = new TokenVerifier(keys, expected, () => nowMs);
    return (token: string) => new Credentials(verifier, null).identify({ authorization: `Bearer ${token}` });
  }

  const codeOf = (identified: Promise<unknown>) =>
    identified.then(
      () => 'admitted',
      (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
    );

  it('are fetched once for many tokens, and again for an unknown key id, with a pause in between', async () => {
    const [first, second] = [await anIssuer('one'), await anIssuer('two')];
    answer = set(first.jwk);
    const identify = await aVerifier();
    for (let i = 0; i < 5; i += 1) expect(await codeOf(identify(await first.token()))).toBe('admitted');
    expect(fetches).toBe(1);
    answer = set(first.jwk, second.jwk);
    expect(await codeOf(identify(await second.token()))).toBe('UNAUTHENTICATED');
    nowMs += 10_000;
    expect(await codeOf(identify(await second.token()))).toBe('admitted');
    expect(fetches).toBe(2);
    const strangers = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => (await anIssuer(`x${i}`)).token()),
    );
    for (const token of strangers) expect(await codeOf(identify(token))).toBe('UNAUTHENTICATED');
    expect(fetches).toBe(2);
  });

  it('stay in force while they cannot be fetched, and let nobody else in', async () => {
    const [known, stranger] = [await anIssuer('one'), await anIssuer('two')];
    answer = set(known.jwk);
    const identify = await aVerifier();
    expect(await codeOf(identify(await known.token()))).toBe('admitted');
    const longLived = await known.token('10h');
    const broken = [
      { status: 500, body: JSON.stringify({ keys: [stranger.jwk] }) },
      { status: 302, body: '' },
      { status: 200, body: '{"keys":[]}' },
      { status: 200, body: '<html>' },
      { status: 200, body: JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'two' }] }) },
    ];
    for (const bad of broken) {
      answer = bad;
      nowMs += 11 * 60_000;
      expect(await codeOf(identify(longLived))).toBe('admitted');
      expect(await codeOf(identify(await stranger.token()))).toBe('UNAUTHENTICATED');
    }
    expect(fetches).toBeGreaterThan(broken.length);
  });

  it('are needed before anybody is admitted, under a code that says to try again', async () => {
    const issuer = await anIssuer('one');
    answer = { status: 503, body: '' };
    const identify = await aVerifier();
    expect(await codeOf(identify(await issuer.token()))).toBe('IDENTITY_UNAVAILABLE');
    answer = set(issuer.jwk);
    nowMs += 10_000;
    expect(await codeOf(identify(await issuer.token()))).toBe('admitted');
  });

  it('that are withdrawn end their tokens', async () => {
    const [old, next] = [await anIssuer('one'), await anIssuer('two')];
    answer = set(old.jwk);
    const identify = await aVerifier();
    expect(await codeOf(identify(await old.token()))).toBe('admitted');
    answer = set(next.jwk);
    nowMs += 10_000;
    expect(await codeOf(identify(await next.token()))).toBe('admitted');
    expect(await codeOf(identify(await old.token()))).toBe('UNAUTHENTICATED');
  });

  it('are no secrets: a token signed with the public key as a secret is refused', async () => {
    const issuer = await anIssuer('one');
    answer = set(issuer.jwk);
    const identify = await aVerifier();
    const pem = new TextEncoder().encode(await exportSPKI(issuer.publicKey));
    const forged = await aToken((made) => made, { alg: 'HS256' }).sign(pem);
    expect(await codeOf(identify(forged))).toBe('UNAUTHENTICATED');
  });

  it('also sign what is no token of access, which is refused', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    answer = set({ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' });
    const identify = await aVerifier();
    const logout = await aToken((made) => made, { typ: 'logout+jwt' }).sign(privateKey);
    expect(await codeOf(identify(logout))).toBe('UNAUTHENTICATED');
    const access = await aToken((made) => made, { typ: 'at+jwt' }).sign(privateKey);
    expect(await codeOf(identify(access))).toBe('admitted');
  });
});
