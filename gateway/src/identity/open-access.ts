import { randomBytes } from 'node:crypto';
import type { Identity } from '@sextant/domain';

/** What SEXTANT_OPEN_ACCESS has to say, so that nobody sets it by accident. */
export const OPEN_ACCESS = 'I-know-this-is-insecure';

/** Who everybody is where access is open. */
export const ANYBODY: Identity = { subject: 'anybody', tenantId: 'open', roles: [], scopes: [] };

/** With open access, keys and secrets need not be given: no token is read, and no subgraph of others is signed for. */
export function withOpenAccess(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  if (env['SEXTANT_OPEN_ACCESS'] !== OPEN_ACCESS) return env;
  const unused = { SEXTANT_JWKS: 'none', SEXTANT_SIGNING_SECRET: randomBytes(32).toString('hex') };
  return { ...unused, ...env };
}
