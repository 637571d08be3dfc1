import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLE_SCOPES } from '@sextant/domain';
import { type CryptoKey, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mintToken, renewingToken } from './token-mint.js';
import { parseTtl } from './token.command.js';

let dataDir: string;
let publicKey: CryptoKey;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'token-'));
  const pair = await generateKeyPair('ES256', { extractable: true });
  publicKey = pair.publicKey;
  mkdirSync(join(dataDir, 'keys'));
  writeFileSync(
    join(dataDir, 'keys', 'jwt-private.json'),
    JSON.stringify({ ...(await exportJWK(pair.privateKey)), kid: 'k1', alg: 'ES256' }),
  );
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const authority = () => ({ dataDir, issuer: 'sextant-local', audience: 'sextant' });

describe('mintToken', () => {
  it('signs a token that names tenant, role and scopes and runs out', async () => {
    const token = await mintToken(authority(), { tenant: 'acme', role: 'analyst', ttlSeconds: 60 });
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
      issuer: 'sextant-local',
      audience: 'sextant',
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k1' });
    expect(payload).toMatchObject({
      tenant: 'acme',
      roles: ['analyst'],
      sub: 'local-analyst',
      scope: ROLE_SCOPES.analyst.join(' '),
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  });

  it('refuses a tenant that is no DNS label, and says where the key should be', async () => {
    const request = { role: 'web', ttlSeconds: 60 } as const;
    await expect(mintToken(authority(), { ...request, tenant: 'Acme!' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: '--tenant',
    });
    await expect(
      mintToken({ ...authority(), dataDir: join(dataDir, 'other') }, { ...request, tenant: 'acme' }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('renewingToken', () => {
  it('mints once while the token is fresh, and anew when half its time is over', async () => {
    let minted = 0;
    const mint = () => Promise.resolve(String(++minted));
    const fresh = renewingToken(mint, 900);
    expect([await fresh(), await fresh()]).toEqual(['1', '1']);
    const expired = renewingToken(mint, 0);
    expect([await expired(), await expired()]).toEqual(['2', '3']);
  });
});

describe('parseTtl', () => {
  it.each([
    ['90s', 90],
    ['30m', 1_800],
    ['1h', 3_600],
    ['30d', 2_592_000],
  ])('reads %s as %i seconds', (text, seconds) => {
    expect(parseTtl(text)).toBe(seconds);
  });
  it.each(['', '1', '0s', '31d', '1w', '-1h'])('refuses "%s"', (text) => {
    expect(() => parseTtl(text)).toThrow('--ttl must be a duration');
  });
});
