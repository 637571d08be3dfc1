import type { ServerResponse } from 'node:http';
import { ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { JSON_TYPE, type ResponseType } from './media-type.js';
import { type Refusal, retryAfterSeconds, statusOfKind } from './refusal.js';

/** Statuses that also a client from before the specification understands; all others become 200 in `application/json`. */
const SHOWN_TO_OLD_CLIENTS: ReadonlySet<number> = new Set([401, 403, 405, 413, 429]);

/** Writes the result of one operation. */
export function answerResult(response: ServerResponse, type: ResponseType, result: ExecutionResult): void {
  const status = statusOf(result, type);
  const retryAfterMs = result.errors?.map(({ extensions }) => extensions['retryAfterMs']).find(isNumber);
  if (status !== 200 && retryAfterMs !== undefined)
    response.setHeader('retry-after', retryAfterSeconds(retryAfterMs));
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 405) response.setHeader('allow', 'POST');
  write(response, { status, type }, shown(result));
}

/** Writes the results of a batch in the order of its operations. */
export function answerBatch(response: ServerResponse, results: readonly ExecutionResult[]): void {
  write(response, { status: 200, type: JSON_TYPE }, results.map(shown));
}

/** Writes why a request was refused before GraphQL. */
export function answerRefusal(response: ServerResponse, refusal: Refusal, type: ResponseType): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  const errors = [{ message: refusal.message, extensions: { code: refusal.code } }];
  write(response, { status: refusal.status, type }, { errors });
}

/**
 * Status of an answer. A refused operation, which has no data, has the status that its guard stated, else the one of its code;
 * in `application/json` it is 200 where clients from before the specification would take another one for a broken server.
 *
 * Source: GraphQL over HTTP, "Status Codes".
 */
export function statusOf({ data, errors }: ExecutionResult, type: ResponseType): number {
  if (data !== undefined || !errors?.length) return 200;
  const stated = errors.map(statedStatus).find(isNumber);
  const status = stated ?? Math.max(...errors.map(statusOfCode));
  return type === JSON_TYPE && !SHOWN_TO_OLD_CLIENTS.has(status) ? 200 : status;
}

function statedStatus({ extensions }: GraphQLError): unknown {
  return (extensions['http'] as { status?: unknown } | undefined)?.status;
}

function statusOfCode({ extensions }: GraphQLError): number {
  const code = String(extensions['code']);
  if (code === 'INTERNAL_SERVER_ERROR') return 500;
  return Object.hasOwn(ERROR_KINDS, code) ? statusOfKind(ERROR_KINDS[code as ErrorCode]) : 400;
}

/** As it goes out: the status that an error asks for is the answer's, not the client's to read. */
function shown(result: ExecutionResult): object {
  if (!result.errors) return result;
  const errors = result.errors.map((error) => {
    const { http, ...extensions } = error.extensions;
    return http === undefined ? error : { ...error.toJSON(), extensions };
  });
  return { ...result, errors };
}

function write(
  response: ServerResponse,
  { status, type }: { status: number; type: ResponseType },
  value: unknown,
): void {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  response
    .writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'content-length': body.byteLength,
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(body);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
