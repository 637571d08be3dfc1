import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { DomainError, type Identity, isTenantId } from '@sextant/domain';

export const IDENTITY_HEADER = 'x-sextant-identity';
export const TIME_HEADER = 'x-sextant-time';
/** Chosen anew for each request, so that a subgraph can tell a request from its replay. */
export const NONCE_HEADER = 'x-sextant-nonce';
export const SIGNATURE_HEADER = 'x-sextant-signature';
/** Epoch milliseconds after which nobody waits for the answer. Not signed: it can only shorten what is spent on a request. */
export const DEADLINE_HEADER = 'x-sextant-deadline';

/** What a signature covers; `path` is the URL's path without the query. */
export interface SignedRequest {
  /** name of the subgraph that is to answer; another one that shares the secret refuses the request */
  receiver: string;
  method: string;
  path: string;
  body: Uint8Array | string;
}

/** What was signed, beside the request itself; each a header. */
interface SignedHeaders {
  identity: string;
  time: string;
  nonce: string;
}

/** Where the time of a secret ends, a second one is accepted: `new,old`. Signatures are made with the first. */
export interface SigningSecrets {
  /** one secret, or several separated by commas */
  secret: string;
}

const NONCE = /^[\w-]{16,64}$/;

/**
 * Signs a request between our own processes: HMAC-SHA-256 over receiver, method, path, body hash, time, nonce and identity.
 *
 * @returns the four headers to send along
 */
export function signRequest(
  request: SignedRequest,
  identity: Identity,
  signing: SigningSecrets & { nowMs: number },
): Record<string, string> {
  const signed = {
    identity: Buffer.from(JSON.stringify(identity), 'utf8').toString('base64url'),
    time: String(signing.nowMs),
    nonce: randomUUID(),
  };
  const [secret = ''] = signing.secret.split(',', 1);
  return {
    [IDENTITY_HEADER]: signed.identity,
    [TIME_HEADER]: signed.time,
    [NONCE_HEADER]: signed.nonce,
    [SIGNATURE_HEADER]: signatureOf(bodyHashOf(request), request, signed, secret),
  };
}

/**
 * Proves that a request comes from one of our processes and is fresh.
 *
 * @param headers  lower-case names
 * @param checking.replays  remembers the nonces of genuine requests; without it one request can be sent again while it is fresh
 * @throws DomainError SIGNATURE_INVALID, with the same message whatever was wrong
 */
export function verifyRequest(
  request: SignedRequest,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  checking: SigningSecrets & {
    nowMs: number;
    maxAgeMs: number;
    replays?: { isFirst(nonce: string, atMs: number, nowMs: number): boolean };
  },
): Identity {
  const { signature, ...signed } = requireSignatureHeaders(headers);
  const given = Buffer.from(signature);
  const bodyHash = bodyHashOf(request);
  const isGenuine = checking.secret.split(',').some((secret) => {
    const expected = Buffer.from(signatureOf(bodyHash, request, signed, secret));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isGenuine) throw refused();
  const atMs = Number(signed.time);
  if (!(Math.abs(checking.nowMs - atMs) <= checking.maxAgeMs)) throw refused();
  if (checking.replays?.isFirst(signed.nonce, atMs, checking.nowMs) === false) throw refused();
  return parseIdentity(signed.identity);
}

/**
 * The headers of a signed request, which alone prove nothing.
 *
 * @throws DomainError SIGNATURE_INVALID where one is missing
 */
export function requireSignatureHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): SignedHeaders & { signature: string } {
  const identity = headers[IDENTITY_HEADER];
  const time = headers[TIME_HEADER];
  const nonce = headers[NONCE_HEADER];
  const signature = headers[SIGNATURE_HEADER];
  if (typeof identity !== 'string' || typeof time !== 'string' || typeof signature !== 'string')
    throw refused();
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) throw refused();
  return { identity, time, nonce, signature };
}

function bodyHashOf({ body }: SignedRequest): string {
  return createHash('sha256').update(body).digest('hex');
}

function signatureOf(
  bodyHash: string,
  { receiver, method, path }: SignedRequest,
  { identity, time, nonce }: SignedHeaders,
  secret: string,
): string {
  return createHmac('sha256', secret)
    .update(`${receiver}\n${method}\n${path}\n${bodyHash}\n${time}\n${nonce}\n${identity}`)
    .digest('base64url');
}

function parseIdentity(encoded: string): Identity {
  const value = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Partial<Identity>;
  const { subject, tenantId, roles, scopes, clientId } = value;
  if (typeof subject !== 'string' || typeof tenantId !== 'string' || !isTenantId(tenantId)) throw refused();
  if (!Array.isArray(roles) || !Array.isArray(scopes)) throw refused();
  return { subject, tenantId, roles, scopes, ...(typeof clientId === 'string' && { clientId }) };
}

function refused(): DomainError {
  return new DomainError(
    'SIGNATURE_INVALID',
    'this endpoint takes signed requests of the gateway only; call the gateway instead',
  );
}
