import { DomainError, type Identity, isTenantId, KEY_CLIENT } from '@sextant/domain';
import { errors, type FlattenedJWSInput, type JWSHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import type { JwksKeys } from './jwks-keys.js';

/** Signature algorithms that are accepted; symmetric ones and `none` are not among them. */
const ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];
/** Kinds of token that say who somebody is to an API; others with the same signature mean something else. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt']);
/** How far the clock of the provider may be ahead of ours. */
const CLOCK_SKEW_SECONDS = 5;
const MAX_CHARACTERS = 8_192;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Longest names that are taken from a token. */
const MAX_NAME = 256;
/** A verified token is not verified again for so long, nor beyond its expiry. */
const REMEMBER_MS = 60_000;
const REMEMBERED = 5_000;

/** Turns bearer tokens into identities. */
export class TokenVerifier {
  private readonly verified = new Map<string, { identity: Identity; untilMs: number }>();

  constructor(
    private readonly keys: Pick<JwksKeys, 'keyOf'>,
    private readonly expected: { issuer: string; audience: string },
    private readonly nowMs: () => number,
  ) {}

  /**
   * @param token  a JWT, or what should be one
   * @throws DomainError UNAUTHENTICATED, without telling which check failed beyond what the sender knows anyway;
   *         IDENTITY_UNAVAILABLE while there are no keys to check it with
   */
  async identify(token: string): Promise<Identity> {
    if (token.length > MAX_CHARACTERS || !JWT.test(token))
      throw new DomainError('UNAUTHENTICATED', 'the token is malformed: it is no signed JWT');
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
    const options = {
      ...this.expected,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'sub', 'tenant'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(this.nowMs()),
    };
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        (header: JWSHeaderParameters, input: FlattenedJWSInput) => this.keys.keyOf(header, input),
        options,
      );
      if (!TYPES.has(protectedHeader.typ)) throw new Error(`a token of the type ${protectedHeader.typ}`);
      // A clock that is ahead may make a token early, and never makes it live longer.
      if ((payload.exp ?? 0) * 1_000 > this.nowMs()) return payload;
    } catch (error) {
      if (error instanceof DomainError) throw error;
      if (!(error instanceof errors.JWTExpired))
        throw new DomainError('UNAUTHENTICATED', 'the token is not valid here', { cause: error });
    }
    throw new DomainError('UNAUTHENTICATED', 'the token has expired: get a new one');
  }

  private remember(token: string, entry: { identity: Identity; untilMs: number }): void {
    if (this.verified.size >= REMEMBERED) {
      const [oldest] = this.verified.keys();
      if (oldest !== undefined) this.verified.delete(oldest);
    }
    this.verified.set(token, entry);
  }
}

function identityOf({ sub, tenant, roles, scope, azp, client_id: clientId }: JWTPayload): Identity {
  const client = azp ?? clientId;
  const isWellFormed =
    isName(sub) &&
    typeof tenant === 'string' &&
    isTenantId(tenant) &&
    (roles === undefined || (Array.isArray(roles) && roles.every(isName))) &&
    (scope === undefined || typeof scope === 'string');
  if (!isWellFormed) throw new DomainError('UNAUTHENTICATED', 'the token is not valid here');
  return {
    subject: sub,
    tenantId: tenant,
    roles: roles ?? [],
    scopes: (scope ?? '').split(' ').filter(Boolean),
    // A client that calls itself like one of our access keys is none.
    ...(isName(client) && !client.startsWith(KEY_CLIENT) && { clientId: client }),
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
}
