import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError, isTenantId, type Role, ROLE_SCOPES } from '@sextant/domain';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';

const signingKey = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  d: z.string(),
  kid: z.string(),
});

/** Where the installation's tokens come from and whom they name. */
export interface TokenAuthority {
  dataDir: string;
  issuer: string;
  audience: string;
}

export interface TokenRequest {
  tenant: string;
  role: Role;
  ttlSeconds: number;
}

/**
 * Signs a token with the key that the local installation keeps in `keys/jwt-private.json` of its data directory (ES256).
 *
 * @throws DomainError INVALID_INPUT for a bad tenant, CONFIG_INVALID when the key cannot be read
 */
export async function mintToken(
  { dataDir, issuer, audience }: TokenAuthority,
  { tenant, role, ttlSeconds }: TokenRequest,
): Promise<string> {
  if (!isTenantId(tenant)) {
    throw new DomainError(
      'INVALID_INPUT',
      `--tenant must be lower-case letters, digits and hyphens (at most 63), got "${tenant}"`,
      { path: '--tenant' },
    );
  }
  const jwk = readKey(join(dataDir, 'keys', 'jwt-private.json'));
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ tenant, roles: [role], scope: ROLE_SCOPES[role].join(' ') })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(`local-${role}`)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(await importJWK(jwk, 'ES256'));
}

function readKey(path: string): z.output<typeof signingKey> {
  try {
    return signingKey.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new DomainError(
      'CONFIG_INVALID',
      `the signing key ${path} cannot be read: run npm start first, or give --token`,
      { cause },
    );
  }
}

/** Mints anew shortly before the last token runs out, so that a long import does not outlive it. */
export function renewingToken(
  mint: (ttlSeconds: number) => Promise<string>,
  ttlSeconds = 900,
): () => Promise<string> {
  let token: Promise<string> | null = null;
  let renewAt = 0;
  return () => {
    if (token === null || Date.now() >= renewAt) {
      renewAt = Date.now() + 500 * ttlSeconds;
      token = mint(ttlSeconds);
    }
    return token;
  };
}
