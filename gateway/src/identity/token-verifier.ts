import { readFileSync, statSync } from 'node:fs';
import { DomainError, type Identity, isTenantId } from '@sextant/domain';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from 'jose';

/** Signature algorithms that are accepted; symmetric ones and `none` are not among them. */
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'];
/** A verified token is not verified again for so long, nor beyond its expiry. */
const REMEMBER_MS = 60_000;
const REMEMBERED = 5_000;

/** Turns bearer tokens into identities. */
export class TokenVerifier {
  private readonly verified = new Map<string, { identity: Identity; untilMs: number }>();

  constructor(
    private readonly keys: JWTVerifyGetKey,
    private readonly expected: { issuer: string; audience: string },
    private readonly nowMs: () => number,
  ) {}

  /**
   * @param authorization  the header as it came
   * @throws DomainError UNAUTHENTICATED, without telling which check failed beyond what the sender knows anyway
   */
  async identify(authorization: string | undefined): Promise<Identity> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw new DomainError('UNAUTHENTICATED', 'send a token: Authorization: Bearer <JWT>');
    const known = this.verified.get(token);
    if (known && known.untilMs > this.nowMs()) return known.identity;
    this.verified.delete(token);
    const payload = await this.verify(token);
    const identity = identityOf(payload);
    this.remember(token, {
      identity,
      untilMs: Math.min(this.nowMs() + REMEMBER_MS, (payload.exp ?? 0) * 1_000),
    });
    return identity;
  }

  private async verify(token: string): Promise<JWTPayload> {
    try {
      const options = {
        ...this.expected,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub', 'tenant'],
        currentDate: new Date(this.nowMs()),
      };
      return (await jwtVerify(token, this.keys, options)).payload;
    } catch (error) {
      const reason =
        error instanceof errors.JWTExpired
          ? 'the token has expired: get a new one'
          : 'the token is not valid here';
      throw new DomainError('UNAUTHENTICATED', reason, { cause: error });
    }
  }

  private remember(token: string, entry: { identity: Identity; untilMs: number }): void {
    if (this.verified.size >= REMEMBERED) {
      const [oldest] = this.verified.keys();
      if (oldest !== undefined) this.verified.delete(oldest);
    }
    this.verified.set(token, entry);
  }
}

/** Keys at a URL, fetched when an unknown key id appears, or in a file, which is read again then. */
export function keysFrom(location: string): JWTVerifyGetKey {
  return /^https?:\/\//.test(location) ? createRemoteJWKSet(new URL(location)) : keysInFile(location);
}

/** @throws DomainError CONFIG_INVALID at once when the file cannot be read, so that a gateway never starts without keys */
function keysInFile(path: string): JWTVerifyGetKey {
  let current = readKeys(path);
  return async (header, token) => {
    try {
      return await current.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || statSync(path).mtimeMs === current.mtimeMs)
        throw error;
      current = readKeys(path);
      return current.keys(header, token);
    }
  };
}

function readKeys(path: string): { keys: JWTVerifyGetKey; mtimeMs: number } {
  try {
    return {
      mtimeMs: statSync(path).mtimeMs,
      keys: createLocalJWKSet(JSON.parse(readFileSync(path, 'utf8')) as JSONWebKeySet),
    };
  } catch (cause) {
    throw new DomainError(
      'CONFIG_INVALID',
      `SEXTANT_JWKS: ${path} holds no JSON Web Key Set that can be read`,
      { cause },
    );
  }
}

function identityOf({ sub, tenant, roles, scope }: JWTPayload): Identity {
  const isWellFormed = typeof sub === 'string' && typeof tenant === 'string' && isTenantId(tenant);
  const areNames = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string');
  if (
    !isWellFormed ||
    (roles !== undefined && !areNames(roles)) ||
    (scope !== undefined && typeof scope !== 'string')
  ) {
    throw new DomainError('UNAUTHENTICATED', 'the token is not valid here');
  }
  return {
    subject: sub,
    tenantId: tenant,
    roles: roles ?? [],
    scopes: (scope ?? '').split(' ').filter(Boolean),
  };
}
