import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError, type ErrorCode, type Identity } from '@sextant/domain';
import { endRequest, forwardedSpan, operationNameOf, type TraceSpan, type Tracing } from '@sextant/platform';
import type { ExecutionResult } from 'graphql';
import type { GatewayContext, OperationParams } from '../pipeline/operation.js';

/** Largest request: a full ingest batch of large events. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Longest document; parsing costs far more a byte than variables do. */
export const MAX_QUERY_CHARACTERS = 100_000;

/** How long an answer is waited for. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface FrontOptions {
  /** null: requests are not traced, the trace context of clients is handed on */
  tracing: Tracing | null;
  identify(authorization: string | undefined): Promise<Identity>;
  /** runs the GraphQL request; never rejects */
  run(params: OperationParams, context: GatewayContext): Promise<ExecutionResult>;
  /** told of each request that is refused here: its code, and the error when it is unexpected */
  onRefused(code: string, unexpected?: unknown): void;
  corsOrigins: readonly string[];
}

/** A refusal before GraphQL: an HTTP status and an error with a code. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode | 'BAD_REQUEST' | 'INTERNAL_SERVER_ERROR',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Everything before GraphQL: paths and methods, CORS, the token, the size of the body. Only POST with a JSON body is
 * served, which a browser never sends across origins without asking first, so that no CSRF token is needed.
 */
export function httpFront(options: FrontOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?')[0];
    const requestId = requestIdOf(request);
    response.setHeader('x-request-id', requestId);
    allowOrigin(request, response, options.corsOrigins);
    try {
      if (path === '/health') return answer(response, 200, { status: 'live' });
      if (path !== '/graphql') throw new Refusal(404, 'BAD_REQUEST', 'the graph is at /graphql');
      if (request.method === 'OPTIONS') return void response.writeHead(204).end();
      if (request.method !== 'POST')
        throw new Refusal(405, 'BAD_REQUEST', 'send the operation as JSON with POST');
      const identity = await options.identify(request.headers.authorization);
      const body = readOperation(await readBody(request));
      const span = spanOf(options.tracing, request, response, body);
      const context = contextOf(request, { identity, requestId });
      const result = await options.run(body, { ...context, ...(span && { span }) });
      answer(response, statusOf(result), withoutStatus(result));
    } catch (error) {
      const refusal = asRefusal(error);
      options.onRefused(refusal.code, refusal.status === 500 ? error : undefined);
      refuse(response, refusal);
    }
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, 'BAD_REQUEST', 'send the operation with content-type: application/json');
  }
  const tooLarge = new Refusal(
    413,
    'REQUEST_TOO_LARGE',
    `a request may have ${MAX_BODY_BYTES} bytes: send several`,
  );
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString('utf8');
}

function contextOf(
  request: IncomingMessage,
  { identity, requestId }: { identity: Identity; requestId: string },
): GatewayContext {
  const header = (name: string): string | null => {
    const value = request.headers[name];
    return typeof value === 'string' ? value.slice(0, 128) : null;
  };
  return {
    identity,
    requestId,
    audience: 'company',
    client: {
      name: header('apollographql-client-name') ?? header('graphql-client-name'),
      version: header('apollographql-client-version') ?? header('graphql-client-version'),
      address: request.socket.remoteAddress ?? '',
    },
    deadlineMs: Date.now() + REQUEST_TIMEOUT_MS,
    ledger: { fetches: 0, joined: 0, cached: 0, estimatedCost: null },
  };
}

/** 200 unless an error states another one and there is no data. */
function statusOf({ data, errors }: ExecutionResult): number {
  if (data !== undefined && data !== null) return 200;
  const stated = errors?.map(
    ({ extensions }) => (extensions['http'] as { status?: number } | undefined)?.status,
  );
  return stated?.find((status) => status !== undefined) ?? (data === undefined && errors ? 400 : 200);
}

function withoutStatus(result: ExecutionResult): object {
  if (!result.errors) return result;
  const errors = result.errors.map((error) => {
    const { http: _, ...extensions } = error.extensions;
    return { ...error.toJSON(), extensions };
  });
  return { ...result, errors };
}

function readOperation(text: string): OperationParams {
  const body = parse(text);
  if (
    typeof body !== 'object' ||
    body === null ||
    Array.isArray(body) ||
    typeof (body as { query?: unknown }).query !== 'string'
  ) {
    throw new Refusal(
      400,
      'BAD_REQUEST',
      'the body must be one JSON object with a query; batches are not served',
    );
  }
  const operation = body as OperationParams & { query: string };
  if (operation.query.length > MAX_QUERY_CHARACTERS) {
    throw new Refusal(
      413,
      'REQUEST_TOO_LARGE',
      `a query may have ${MAX_QUERY_CHARACTERS} characters: move values into variables`,
    );
  }
  return { ...operation };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'BAD_REQUEST', 'the body is no JSON');
  }
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  if (refusal.status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (refusal.status === 413) response.setHeader('connection', 'close'); // the rest of the body is not read
  answer(response, refusal.status, {
    errors: [{ message: refusal.message, extensions: { code: refusal.code } }],
  });
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof DomainError && error.kind === 'unauthenticated')
    return new Refusal(401, error.code, error.message);
  return new Refusal(500, 'INTERNAL_SERVER_ERROR', 'Something went wrong on our side; it was logged.');
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function allowOrigin(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): void {
  const { origin } = request.headers;
  if (origins.length === 0) return;
  response.setHeader('vary', 'origin');
  if (origin === undefined || !origins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader(
    'access-control-allow-headers',
    'authorization, content-type, x-request-id, traceparent',
  );
  response.setHeader('access-control-expose-headers', 'x-request-id');
  response.setHeader('access-control-max-age', '600');
}

/** The client's id when it is a plain one, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The span of a request, ended with its answer; a child of the client's where it sent a trace context. */
function spanOf(
  tracing: Tracing | null,
  { headers }: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): TraceSpan | undefined {
  const single = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined);
  const parent = { traceparent: single(headers['traceparent']), tracestate: single(headers['tracestate']) };
  if (!tracing) return forwardedSpan(parent);
  const name = operationNameOf(body);
  const span = tracing.span('POST /graphql', parent, {
    kind: 'server',
    attributes: {
      'http.request.method': 'POST',
      'url.path': '/graphql',
      ...(name !== undefined && { 'graphql.operation.name': name }),
    },
  });
  response.once('close', () => endRequest(span, response.statusCode));
  return span;
}
