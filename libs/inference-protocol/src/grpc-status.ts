import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { DomainError, ERROR_KINDS, type ErrorCode, type ErrorKind } from '@sextant/domain';
import { readRetryAfterMs, writeRetryAfterMs } from './retry-hint.js';

/** Trailing metadata that carries the code of a {@link DomainError} across the wire. */
const CODE_KEY = 'sextant-error-code';
const PATH_KEY = 'sextant-error-path-bin';

export const STATUS_OF_KIND: Record<ErrorKind, status> = {
  'invalid-input': status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  conflict: status.ALREADY_EXISTS,
  'failed-precondition': status.FAILED_PRECONDITION,
  'resource-exhausted': status.RESOURCE_EXHAUSTED,
  'deadline-exceeded': status.DEADLINE_EXCEEDED,
  unavailable: status.UNAVAILABLE,
  internal: status.INTERNAL,
};

/** Code of a failure that came without one: from the transport itself, or from a server that is not ours. */
const CODE_OF_STATUS: Partial<Record<status, ErrorCode>> = {
  [status.INVALID_ARGUMENT]: 'INVALID_INPUT',
  [status.OUT_OF_RANGE]: 'INVALID_INPUT',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [status.PERMISSION_DENIED]: 'FORBIDDEN',
  [status.NOT_FOUND]: 'MODEL_NOT_FOUND',
  [status.DEADLINE_EXCEEDED]: 'INFERENCE_DEADLINE_EXCEEDED',
  [status.RESOURCE_EXHAUSTED]: 'QUEUE_FULL',
  [status.UNAVAILABLE]: 'INFERENCE_UNAVAILABLE',
  [status.UNIMPLEMENTED]: 'INFERENCE_UNAVAILABLE',
};

/** What a gRPC handler answers with. Anything but a DomainError is a bug: its message stays in the log and off the wire. */
export interface StatusAnswer {
  code: status;
  details: string;
  metadata: Metadata;
}

/** Details travel in a header; longer ones would break the connection's limits. */
const MOST_DETAILS = 1_000;

function clipped(message: string): string {
  return message.length <= MOST_DETAILS ? message : `${message.slice(0, MOST_DETAILS)}…`;
}

export function toStatusAnswer(error: unknown): StatusAnswer {
  const metadata = new Metadata();
  if (!(error instanceof DomainError)) return { code: status.INTERNAL, details: 'internal error', metadata };
  metadata.set(CODE_KEY, error.code);
  if (error.path !== undefined) metadata.set(PATH_KEY, Buffer.from(clipped(error.path), 'utf8'));
  const code = STATUS_OF_KIND[error.kind];
  if (error.retryAfterMs !== undefined) writeRetryAfterMs(metadata, code, error.retryAfterMs);
  return { code, details: clipped(error.message), metadata };
}

/** Reads a failed call back as the DomainError it began as; the code falls back to what the status means. */
export function toDomainError(error: ServiceError): DomainError {
  const path = error.metadata?.get(PATH_KEY)[0];
  const retryAfterMs = error.metadata && readRetryAfterMs(error.metadata);
  const details = {
    cause: error,
    ...(path === undefined ? {} : { path: path.toString() }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return new DomainError(codeOf(error), error.details || error.message, details);
}

function codeOf(error: ServiceError): ErrorCode {
  const carried = error.metadata?.get(CODE_KEY)[0]?.toString();
  if (carried !== undefined && isErrorCode(carried)) return carried;
  if (
    error.code === status.RESOURCE_EXHAUSTED &&
    /larger than|max.*message|message.*max/i.test(error.details)
  )
    return 'BATCH_TOO_LARGE';
  return CODE_OF_STATUS[error.code] ?? 'INFERENCE_FAILED';
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_KINDS, code);
}
