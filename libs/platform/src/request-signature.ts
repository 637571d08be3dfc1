import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError, type Identity, isTenantId } from '@sextant/domain';

export const IDENTITY_HEADER = 'x-sextant-identity';
export const TIME_HEADER = 'x-sextant-time';
export const SIGNATURE_HEADER = 'x-sextant-signature';
/** Epoch milliseconds after which nobody waits for the answer. Not signed: it can only shorten what is spent on a request. */
export const DEADLINE_HEADER = 'x-sextant-deadline';

/** What a signature covers; `path` is the URL's path without the query. */
export interface SignedRequest {
  method: string;
  path: string;
  body: Uint8Array | string;
}

/**
 * Signs a request between our own processes: HMAC-SHA-256 over method, path, body hash, time and identity.
 *
 * @returns the three headers to send along
 */
export function signRequest(
  request: SignedRequest,
  identity: Identity,
  signing: { secret: string; nowMs: number },
): Record<string, string> {
  const encoded = Buffer.from(JSON.stringify(identity), 'utf8').toString('base64url');
  const time = String(signing.nowMs);
  return {
    [IDENTITY_HEADER]: encoded,
    [TIME_HEADER]: time,
    [SIGNATURE_HEADER]: signatureOf(request, encoded, { secret: signing.secret, time }),
  };
}

/**
 * Proves that a request comes from one of our processes and is fresh.
 *
 * @param headers  lower-case names
 * @throws DomainError SIGNATURE_INVALID, with the same message whatever was wrong
 */
export function verifyRequest(
  request: SignedRequest,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  checking: { secret: string; nowMs: number; maxAgeMs: number },
): Identity {
  const { identity, time, signature } = requireSignatureHeaders(headers);
  const expected = Buffer.from(signatureOf(request, identity, { secret: checking.secret, time }));
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused();
  if (!(Math.abs(checking.nowMs - Number(time)) <= checking.maxAgeMs)) throw refused();
  return parseIdentity(identity);
}

/**
 * The three headers of a signed request, which alone prove nothing.
 *
 * @throws DomainError SIGNATURE_INVALID where one is missing
 */
export function requireSignatureHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): {
  identity: string;
  time: string;
  signature: string;
} {
  const identity = headers[IDENTITY_HEADER];
  const time = headers[TIME_HEADER];
  const signature = headers[SIGNATURE_HEADER];
  if (typeof identity !== 'string' || typeof time !== 'string' || typeof signature !== 'string')
    throw refused();
  return { identity, time, signature };
}

function signatureOf(
  request: SignedRequest,
  identity: string,
  signing: { secret: string; time: string },
): string {
  const bodyHash = createHash('sha256').update(request.body).digest('hex');
  return createHmac('sha256', signing.secret)
    .update(`${request.method}\n${request.path}\n${bodyHash}\n${signing.time}\n${identity}`)
    .digest('base64url');
}

function parseIdentity(encoded: string): Identity {
  const value = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Partial<Identity>;
  const { subject, tenantId, roles, scopes } = value;
  if (typeof subject !== 'string' || typeof tenantId !== 'string' || !isTenantId(tenantId)) throw refused();
  if (!Array.isArray(roles) || !Array.isArray(scopes)) throw refused();
  return { subject, tenantId, roles, scopes };
}

function refused(): DomainError {
  return new DomainError(
    'SIGNATURE_INVALID',
    'this endpoint takes signed requests of the gateway only; call the gateway instead',
  );
}
