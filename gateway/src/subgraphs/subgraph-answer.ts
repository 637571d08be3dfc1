import { DomainError } from '@sextant/domain';
import { GraphQLError } from 'graphql';
import type { SubgraphAnswer } from '../engine/engine.js';
import { ExchangeError, type Reply } from './http-exchange.js';

/** Errors of one answer that are passed on; a subgraph that sends more has said enough. */
const MOST_ERRORS = 1_000;

/** Codes that say something of our own request to the subgraph, which its client cannot have done anything about. */
const OWN_FAULTS: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'SIGNATURE_INVALID',
]);

/**
 * What a subgraph answered.
 *
 * @throws DomainError SUBGRAPH_UNAVAILABLE for a status of a proxy or of a subgraph that is going down,
 *         SUBGRAPH_ANSWER_INVALID for whatever is no GraphQL response
 */
export function readAnswer({ status, body }: Reply, subgraph: string): SubgraphAnswer {
  const response = parseObject(body);
  const found = `status ${status} with ${body.length} characters: ${body.slice(0, 200)}`;
  if (!response || !isResponse(response)) {
    if (isGoingDown(status)) throw unavailable(subgraph, new Error(found));
    throw invalidAnswer(subgraph, new Error(found));
  }
  if (status === 401) throw unavailable(subgraph, new Error(found));
  const { data = null, errors } = response;
  if (!errors) return { data };
  return { data, errors: errors.slice(0, MOST_ERRORS).map((error) => readError(error, subgraph)) };
}

/** Statuses after which the same query may be answered elsewhere, or in a moment. */
export function isGoingDown(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** The failure of a fetch as its client sees it. */
export function failureOf(error: unknown, subgraph: string): DomainError {
  if (error instanceof DomainError) return error;
  const fault = error instanceof ExchangeError ? error.fault : null;
  if (fault === 'timeout') return tooLate(subgraph, error);
  if (fault === 'truncated' || fault === 'too-large') return invalidAnswer(subgraph, error);
  if (fault === 'cancelled')
    return new DomainError('REQUEST_CANCELLED', 'the client left before the answer', { cause: error });
  return unavailable(subgraph, error);
}

export function tooLate(subgraph: string, cause?: unknown): DomainError {
  return new DomainError(
    'SUBGRAPH_DEADLINE_EXCEEDED',
    `the ${subgraph} part of the graph did not answer in time; try again`,
    { cause },
  );
}

export function circuitOpen(subgraph: string, retryAfterMs: number): DomainError {
  return new DomainError(
    'SUBGRAPH_CIRCUIT_OPEN',
    `the ${subgraph} part of the graph fails at present and is left alone; try again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}

export function asGraphQLError(failure: DomainError): GraphQLError {
  const { code, message, retryAfterMs } = failure;
  return new GraphQLError(message, {
    extensions: { code, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    originalError: failure,
  });
}

function unavailable(subgraph: string, cause: unknown): DomainError {
  return new DomainError(
    'SUBGRAPH_UNAVAILABLE',
    `the ${subgraph} part of the graph cannot be reached; try again in a moment`,
    { cause },
  );
}

function invalidAnswer(subgraph: string, cause: unknown): DomainError {
  return new DomainError(
    'SUBGRAPH_ANSWER_INVALID',
    `the ${subgraph} part of the graph answered with something that is no GraphQL response`,
    { cause },
  );
}

interface RawResponse {
  data?: Record<string, unknown> | null;
  errors?: unknown[];
}

function isResponse(value: Record<string, unknown>): value is Record<string, unknown> & RawResponse {
  const { data, errors } = value;
  const isDataFit = data === undefined || data === null || isObject(data);
  const areErrorsFit = errors === undefined || (Array.isArray(errors) && errors.length > 0);
  return isDataFit && areErrorsFit && (data !== undefined || errors !== undefined);
}

function readError(error: unknown, subgraph: string): GraphQLError {
  const { message, path, extensions } = isObject(error) ? error : {};
  const shown = isObject(extensions) ? extensions : {};
  const options = isPath(path) ? { path } : {};
  if (OWN_FAULTS.has(shown['code'])) {
    const failure = unavailable(subgraph, new Error(String(message)));
    return new GraphQLError(failure.message, { ...options, extensions: { code: failure.code } });
  }
  return new GraphQLError(String(message), { ...options, extensions: shown });
}

function isPath(value: unknown): value is (string | number)[] {
  return (
    Array.isArray(value) && value.every((step) => typeof step === 'string' || Number.isSafeInteger(step))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
