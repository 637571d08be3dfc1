import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ApolloServer, type BaseContext, HeaderMap } from '@apollo/server';
import { runInSpan, type Tracing } from '@sextant/telemetry';
import { DEADLINE_HEADER } from './request-signature.js';
import type { RequestContext } from './scope-enforcement.js';
import { type ProvenRequest, readSigned, refuse, type SignatureChecking } from './signed-request.js';
import { endRequest, requestSpan } from './request-tracing.js';

export interface EndpointOptions {
  apollo: ApolloServer<BaseContext>;
  checking: SignatureChecking;
  tracing: Tracing | null;
  /** told of what should not have happened */
  onUnexpected(error: unknown): void;
}

/**
 * /graphql of a subgraph on Node's own HTTP server: signature, JSON, trace, Apollo Server, answer. Express is not in the way: its
 * chain of handlers costs as much as a third of a request for fifty entities.
 */
export function graphqlEndpoint(options: EndpointOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, options).catch((error: unknown) => {
      if (!response.headersSent) return refuse({ request, response }, error, options.onUnexpected);
      options.onUnexpected(error);
      response.destroy();
    });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { apollo, checking, tracing }: EndpointOptions,
): Promise<void> {
  const proven = await readSigned(request, checking);
  const span = requestSpan(tracing, request, proven.body);
  if (!span) return execute(apollo, { request, response }, proven);
  response.once('close', () => endRequest(span, response.statusCode));
  return runInSpan(span, () => execute(apollo, { request, response }, proven));
}

async function execute(
  apollo: ApolloServer<BaseContext>,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { identity, body }: ProvenRequest,
): Promise<void> {
  const deadlineMs = deadlineOf(request);
  const contextValue: RequestContext = { identity, ...(deadlineMs !== null && { deadlineMs }) };
  const {
    headers,
    status,
    body: answered,
  } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method ?? '',
      headers: headersOf(request),
      search: searchOf(request),
      body,
    },
    context: async () => contextValue,
  });
  for (const [name, value] of headers) response.setHeader(name, value);
  response.statusCode = status ?? 200;
  if (answered.kind === 'complete') return void response.end(answered.string);
  for await (const chunk of answered.asyncIterator) response.write(chunk);
  response.end();
}

/** Until when the caller waits; null where it does not say, or says nothing readable. */
function deadlineOf({ headers }: IncomingMessage): number | null {
  const text = headers[DEADLINE_HEADER];
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function headersOf(request: IncomingMessage): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}

function searchOf({ url = '' }: IncomingMessage): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
}
