import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '@sextant/domain';
import type { Tracing } from '@sextant/platform';
import type { ExecutionResult } from 'graphql';
import type { Audience, GatewayContext, OperationParams } from '../pipeline/operation.js';
import { answerBatch, answerRefusal, answerResult } from './answer.js';
import { allowOrigin } from './cors.js';
import { refuseForgeable } from './csrf.js';
import { JSON_TYPE, negotiate, type ResponseType } from './media-type.js';
import { paramsOfBody, paramsOfUrl } from './operation-params.js';
import { asRefusal, ClientGone, Refusal } from './refusal.js';
import { readJsonBody } from './request-body.js';
import { type Arrival, clientOf, contextOf, deadlineOf, requestIdOf, spanOf } from './request-context.js';

/** Longest URL with an operation in it. */
export const MAX_URL_CHARACTERS = 8_192;

/** Where the graph is, for whom. */
export const AUDIENCES: Readonly<Record<string, Audience>> = {
  '/graphql': 'company',
  '/partner/graphql': 'partner',
};

/** Something else than GraphQL over HTTP that is served on the public port, e.g. streams and GraphiQL. */
export interface SideDoor {
  /** @returns false when the request is none of its own */
  open(request: IncomingMessage, response: ServerResponse, path: string): boolean;
}

export interface FrontOptions {
  /** null: requests are not traced, the trace context of clients is handed on */
  tracing: Tracing | null;
  /** @throws DomainError UNAUTHENTICATED */
  identify(request: IncomingMessage, audience: Audience): Promise<Identity>;
  /** told of each body before its JSON is read. @throws DomainError RATE_LIMITED */
  onBody(characters: number, caller: Pick<GatewayContext, 'identity' | 'audience'>): void;
  /** runs an operation; never rejects */
  run(params: OperationParams, context: GatewayContext): Promise<ExecutionResult>;
  /** told of each request that is refused here: its code, and the error when it is unexpected */
  onRefused(code: string, unexpected?: unknown): void;
  corsOrigins: readonly string[];
  /** most operations in one request of a caller; 0: batches are not served */
  batchLimitOf(identity: Identity, audience: Audience): number;
  /** how long the longest request may take, milliseconds */
  timeoutMs: number;
  /** whether the process is going down, so that clients should connect elsewhere */
  isDraining(): boolean;
  /** asked in this order before anything of GraphQL */
  sideDoors: readonly SideDoor[];
}

/** The graph over HTTP, as the GraphQL-over-HTTP specification says it: GET and POST, JSON in UTF-8, negotiated media types. */
export function httpFront(options: FrontOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = requestIdOf(request);
    response.setHeader('x-request-id', requestId);
    let type: ResponseType = JSON_TYPE;
    try {
      const [path = '/', search = ''] = splitOnce(request.url ?? '/', '?');
      allowOrigin(request, response, options.corsOrigins);
      if (options.sideDoors.some((door) => door.open(request, response, path))) return;
      const audience = audienceOf(path);
      if (request.method === 'OPTIONS') return void response.writeHead(204, { allow: ALLOWED }).end();
      requireMethod(request);
      type = requireType(request);
      refuseForgeable(request.headers);
      const identity = await options.identify(request, audience);
      const span = spanOf(options.tracing, request, { response, path });
      const deadlineMs = deadlineOf(request, options.timeoutMs);
      const arrival = { requestId, audience, client: clientOf(request), deadlineMs, span };
      await serve(options, { request, response, type, search, identity, arrival });
    } catch (error) {
      if (error instanceof ClientGone) return void response.destroy();
      const refusal = asRefusal(error);
      options.onRefused(refusal.code, refusal.status === 500 ? error : undefined);
      sayGoodbye(options, response);
      answerRefusal(response, refusal, type);
    }
  };
}

/** A request that may speak GraphQL. */
interface Admitted {
  request: IncomingMessage;
  response: ServerResponse;
  type: ResponseType;
  search: string;
  identity: Identity;
  arrival: Arrival;
}

async function serve(options: FrontOptions, admitted: Admitted): Promise<void> {
  const { response, type } = admitted;
  const result = await resultOf(options, admitted);
  sayGoodbye(options, response);
  if (Array.isArray(result)) answerBatch(response, result);
  else answerResult(response, type, result);
}

/** Of one operation, or of each of a batch. */
async function resultOf(
  options: FrontOptions,
  { request, response, search, identity, arrival }: Admitted,
): Promise<ExecutionResult | ExecutionResult[]> {
  if (request.method === 'GET') {
    requireShort(search);
    const context = contextOf(arrival, identity, leaving(response));
    return options.run(paramsOfUrl(search), { ...context, isReadOnly: true });
  }
  const text = await readJsonBody(request);
  options.onBody(text.length, { identity, audience: arrival.audience });
  const body = paramsOfBody(text);
  const signal = leaving(response);
  if ('single' in body) return options.run(body.single, contextOf(arrival, identity, signal));
  requireBatch(body.batch.length, options.batchLimitOf(identity, arrival.audience));
  return Promise.all(body.batch.map((params) => options.run(params, contextOf(arrival, identity, signal))));
}

/** Where the process is going down, the next request has to find another one. */
function sayGoodbye({ isDraining }: FrontOptions, response: ServerResponse): void {
  if (isDraining() && !response.headersSent) response.setHeader('connection', 'close');
}

function requireShort(search: string): void {
  if (search.length <= MAX_URL_CHARACTERS) return;
  const message = `a URL may have ${MAX_URL_CHARACTERS} characters: send the operation with POST`;
  throw new Refusal(414, 'REQUEST_TOO_LARGE', message);
}

function requireBatch(size: number, limit: number): void {
  const refused = (message: string) => new Refusal(400, 'BATCHING_REFUSED', message);
  if (limit === 0) throw refused('batches are not served here: send each operation by itself');
  if (size === 0) throw refused('the batch is empty: send at least one operation');
  if (size > limit) throw refused(`the batch has ${size} operations, it may have ${limit}: send several`);
}

const ALLOWED = 'GET, POST, OPTIONS';

function audienceOf(path: string): Audience {
  const audience = Object.hasOwn(AUDIENCES, path) ? AUDIENCES[path] : undefined;
  if (audience === undefined) throw new Refusal(404, 'BAD_REQUEST', 'the graph is at /graphql');
  return audience;
}

function requireMethod({ method }: IncomingMessage): void {
  if (method === 'GET' || method === 'POST') return;
  const message = `${method ?? ''} is not served: send the operation as JSON with POST, or a query with GET`;
  throw new Refusal(405, 'METHOD_NOT_ALLOWED', message, { allow: ALLOWED });
}

function requireType({ headers }: IncomingMessage): ResponseType {
  const type = negotiate(headers.accept);
  if (type !== null) return type;
  const message = 'answers come as application/graphql-response+json or application/json: accept one of them';
  throw new Refusal(406, 'NOT_ACCEPTABLE', message);
}

/** Aborted when the client goes before it has its answer. */
function leaving(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
