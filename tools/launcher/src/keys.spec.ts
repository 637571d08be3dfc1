import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLE_SCOPES } from '@sextant/domain';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AUDIENCE, ISSUER, issueTokens, loadOrCreateKeys } from './keys.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sextant-keys-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const modeOf = async (file: string): Promise<number> =>
  (await stat(join(dataDir, 'keys', file))).mode & 0o777;

describe('loadOrCreateKeys', () => {
  it('makes keys once, and finds the same ones at every later start', async () => {
    const first = await loadOrCreateKeys(dataDir);
    const second = await loadOrCreateKeys(dataDir);
    expect(second).toEqual(first);
    expect(first.signingSecret.length).toBeGreaterThanOrEqual(32);
  });

  it('lets nobody but the owner read what is secret', async () => {
    await loadOrCreateKeys(dataDir);
    expect(await modeOf('jwt-private.json')).toBe(0o600);
    expect(await modeOf('signing-secret')).toBe(0o600);
    expect(await modeOf('.')).toBe(0o700);
  });

  it('publishes the public half only', async () => {
    const { jwksPath, privateJwk } = await loadOrCreateKeys(dataDir);
    const published = await readFile(jwksPath, 'utf8');
    expect(published).not.toContain(privateJwk.d);
    expect(JSON.parse(published)).toMatchObject({ keys: [{ kid: privateJwk.kid, x: privateJwk.x }] });
  });

  it('names the file of a key that cannot be read, and leaves it as it is', async () => {
    await loadOrCreateKeys(dataDir);
    const file = join(dataDir, 'keys/jwt-private.json');
    await writeFile(file, '{"half');
    await expect(loadOrCreateKeys(dataDir)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(file),
    });
    expect(await readFile(file, 'utf8')).toBe('{"half');
  });
});

describe('issueTokens', () => {
  it('issues one token a role, with its scopes, that the published key verifies after a restart', async () => {
    const tokens = await issueTokens(await loadOrCreateKeys(dataDir), 'demo');
    const { jwksPath } = await loadOrCreateKeys(dataDir);
    const keySet = createLocalJWKSet(JSON.parse(await readFile(jwksPath, 'utf8')) as JSONWebKeySet);
    expect(Object.keys(tokens).toSorted()).toEqual(Object.keys(ROLE_SCOPES).toSorted());
    for (const [role, token] of Object.entries(tokens)) {
      const { payload } = await jwtVerify(token, keySet, { issuer: ISSUER, audience: AUDIENCE });
      expect(payload).toMatchObject({ tenant: 'demo', roles: [role], sub: `local-${role}` });
      expect(payload['scope']).toBe(ROLE_SCOPES[role as keyof typeof ROLE_SCOPES].join(' '));
    }
  });
});
