import { createLogger } from '@sextant/platform';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { anIssuer } from '../test-gateway.js';
import { type Security, startSecurity } from './security.js';

let folder: string;
let issuer: Awaited<ReturnType<typeof anIssuer>>;
let security: Security;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] }); // an address may try again after a tenth of a second, which a busy machine takes
  folder = mkdtempSync(join(tmpdir(), 'sextant-security-'));
  issuer = await anIssuer();
  const jwks = join(folder, 'jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [issuer.publicJwk] }));
  const config = {
    ...({ MONGODB_TIMEOUT_MS: 1_000, SEXTANT_AUDIT: 'off', SEXTANT_KEY_GRACE_MS: 5_000 } as const),
    ...{ SEXTANT_JWKS: jwks, SEXTANT_ISSUER: 'sextant-local', SEXTANT_AUDIENCE: 'sextant' },
  };
  security = await startSecurity(config, createLogger('test', 'silent'));
});
afterAll(async () => {
  await security.close();
  rmSync(folder, { recursive: true });
  vi.useRealTimers();
});

/** A request of the one address that everybody here has. */
const withToken = (token: string) =>
  ({ headers: { authorization: `Bearer ${token}` }, socket: { remoteAddress: '192.0.2.1' } }) as never;

describe('an address that sent too many bad tokens', () => {
  it('waits, and whoever is on a stream from there is still asked whether he may stay', async () => {
    const good = withToken(await issuer.token());
    const ended = withToken(await issuer.token({}, '0s'));
    for (let i = 0; i < 300; i += 1)
      await expect(security.identify(ended, 'company')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(security.identify(good, 'company')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect((await security.identifyAgain(good, 'company')).subject).toBe('user-1');
    await expect(security.identifyAgain(ended, 'company')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
