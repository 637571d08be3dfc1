import { randomBytes } from 'node:crypto';
import type { Identity } from '@sextant/domain';

/** What SEXTANT_OPEN_ACCESS has to say, so that nobody sets it by accident. */
export const OPEN_ACCESS = 'I-know-this-is-insecure';

/** Who everybody is where access is open. */
export const ANYBODY: Identity = { subject: 'anybody', tenantId: 'open', roles: [], scopes: [] };

/** No budget, where the subgraphs of others say nothing about the sizes of their lists. */
const UNBOUNDED = { SEXTANT_MAX_COST: '1000000000', SEXTANT_COST_RATE: '0' };

/**
 * With open access, keys and secrets need not be given: no token is read, and no subgraph of others is signed for. Operations have
 * no budget unless one is set.
 */
export function withOpenAccess(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  if (env['SEXTANT_OPEN_ACCESS'] !== OPEN_ACCESS) return env;
  const unused = { SEXTANT_JWKS: 'none', SEXTANT_SIGNING_SECRET: randomBytes(32).toString('hex') };
  return { ...unused, ...UNBOUNDED, ...env };
}
