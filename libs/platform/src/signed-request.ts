import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError, type Identity } from '@sextant/domain';
import type { ReplayGuard } from './replay-guard.js';
import { requireSignatureHeaders, verifyRequest } from './request-signature.js';

/** Largest request body: a full ingest batch of large events. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export interface SignatureChecking {
  /** name of the subgraph that checks: what was signed for another is refused */
  receiver: string;
  /** one, or several separated by commas while they are rotated */
  secret: string;
  maxAgeMs: number;
  now: () => number;
  /** one for all endpoints of a process */
  replays: ReplayGuard;
}

/** Why a request is answered without being looked at further. */
export class RequestRefused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A request whose sender was proven. */
export interface ProvenRequest {
  identity: Identity;
  /** what the body says; an empty object where there was none */
  body: unknown;
}

/**
 * Reads a request between our own processes. Nothing is read of one that carries no signature, and nothing parsed of one whose
 * signature does not hold.
 *
 * @throws DomainError SIGNATURE_INVALID
 * @throws RequestRefused for a body of more than 16 MiB, or that is no JSON
 */
export async function readSigned(
  request: IncomingMessage,
  { receiver, secret, maxAgeMs, now, replays }: SignatureChecking,
): Promise<ProvenRequest> {
  requireSignatureHeaders(request.headers);
  const body = await bytesOf(request);
  const signed = { receiver, method: request.method ?? '', path: pathOf(request), body };
  const identity = verifyRequest(signed, request.headers, { secret, maxAgeMs, nowMs: now(), replays });
  return { identity, body: body.byteLength === 0 ? {} : parsed(body) };
}

/**
 * Answers a failed {@link readSigned} with its status and code, as GraphQL has it; what is still coming of the request is not
 * waited for.
 *
 * @param onUnexpected  told of an error that is none of a caller's, which is masked
 */
export function refuse(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  error: unknown,
  onUnexpected: (error: unknown) => void,
): void {
  const { status, code, message } = refusalOf(error) ?? masked(error, onUnexpected);
  const text = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(text);
}

function refusalOf(error: unknown): RequestRefused | null {
  if (error instanceof RequestRefused) return error;
  if (error instanceof DomainError) return new RequestRefused(401, error.code, error.message);
  return null;
}

function masked(error: unknown, onUnexpected: (error: unknown) => void): RequestRefused {
  onUnexpected(error);
  return new RequestRefused(500, 'INTERNAL_SERVER_ERROR', 'Something went wrong on our side; it was logged.');
}

/** The path of the request's URL, without the query. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= BODY_LIMIT_BYTES) return chunks.push(chunk);
      request.pause();
      return reject(
        new RequestRefused(413, 'REQUEST_TOO_LARGE', `a body has at most ${BODY_LIMIT_BYTES} bytes`),
      );
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.readableEnded)
        reject(new RequestRefused(400, 'BAD_REQUEST', 'the request ended too early'));
    });
  });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new RequestRefused(400, 'BAD_REQUEST', 'the body must be JSON');
  }
}
