import type { IncomingMessage } from 'node:http';
import { DomainError, type ErrorCode, type ErrorKind } from '@sextant/domain';

type RefusalCode = ErrorCode | 'BAD_REQUEST' | 'INTERNAL_SERVER_ERROR';

/** A refusal before GraphQL: an HTTP status, an error with a code, and headers that go with them. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: RefusalCode,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** HTTP status of an error that no guard has given one. */
const STATUS_OF_KIND: Record<ErrorKind, number> = {
  'invalid-input': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'failed-precondition': 400,
  'resource-exhausted': 429,
  'deadline-exceeded': 504,
  unavailable: 503,
  internal: 500,
};

export function statusOfKind(kind: ErrorKind): number {
  return STATUS_OF_KIND[kind];
}

/** What a thrown value is to the client; an unexpected one tells nothing of itself. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof DomainError))
    return new Refusal(500, 'INTERNAL_SERVER_ERROR', 'Something went wrong on our side; it was logged.');
  const status = statusOfKind(error.kind);
  const headers = {
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(error.retryAfterMs !== undefined && { 'retry-after': retryAfterSeconds(error.retryAfterMs) }),
  };
  return new Refusal(status, error.code, error.message, headers);
}

/** For the header Retry-After, which counts whole seconds. */
export function retryAfterSeconds(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

/** Thrown where the client went away before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  constructor({ method }: IncomingMessage) {
    super(`the client closed the connection within its ${method ?? ''} request`);
  }
}
