import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '@sextant/domain';
import { endRequest, forwardedSpan, type TraceSpan, type Tracing } from '@sextant/platform';
import type { Audience, ClientInfo, GatewayContext } from '../pipeline/operation.js';
import { Refusal } from './refusal.js';

/** What is known of a request before its operation is. */
export interface Arrival {
  requestId: string;
  audience: Audience;
  client: ClientInfo;
  deadlineMs: number;
  span: TraceSpan | undefined;
}

/** The client's id when it is a plain one, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** A context for one operation of a request. */
export function contextOf(arrival: Arrival, identity: Identity, signal?: AbortSignal): GatewayContext {
  const { requestId, audience, client, deadlineMs, span } = arrival;
  return {
    identity,
    audience,
    requestId,
    client,
    deadlineMs,
    ...(signal && { signal }),
    ...(span && { span }),
    ledger: { fetches: 0, joined: 0, cached: 0, estimatedCost: null },
  };
}

/** What a client says of itself, in the headers that Apollo's and the community's clients send. */
export function clientOf({ headers, socket }: IncomingMessage): ClientInfo {
  const text = (...names: string[]): string | null => {
    const value = names
      .map((name) => headers[name])
      .find((given) => typeof given === 'string' && given !== '');
    return typeof value === 'string' ? value.slice(0, 128) : null;
  };
  return {
    name: text('apollographql-client-name', 'graphql-client-name'),
    version: text('apollographql-client-version', 'graphql-client-version'),
    address: socket.remoteAddress ?? '',
  };
}

/**
 * When nobody waits for the answer any more, epoch milliseconds.
 *
 * @param longestMs  in which every request ends; the client may ask for less by `x-deadline-ms`
 * @throws Refusal when the header is no whole number of milliseconds from 1
 */
export function deadlineOf({ headers }: IncomingMessage, longestMs: number): number {
  const given = headers['x-deadline-ms'];
  if (given === undefined) return Date.now() + longestMs;
  if (typeof given !== 'string' || !/^[1-9]\d{0,8}$/.test(given)) {
    throw new Refusal(
      400,
      'BAD_REQUEST',
      'x-deadline-ms must be a whole number of milliseconds: how long you will wait',
    );
  }
  return Date.now() + Math.min(Number(given), longestMs);
}

/** The span of a request, ended with its answer; a child of the client's where it sent a trace context. */
export function spanOf(
  tracing: Tracing | null,
  { headers, method = '' }: IncomingMessage,
  { response, path }: { response: ServerResponse; path: string },
): TraceSpan | undefined {
  const single = (value: string | string[] | undefined) => (typeof value === 'string' ? value : undefined);
  const parent = { traceparent: single(headers['traceparent']), tracestate: single(headers['tracestate']) };
  if (!tracing) return forwardedSpan(parent);
  const span = tracing.span(`${method} ${path}`, parent, {
    kind: 'server',
    attributes: { 'http.request.method': method, 'url.path': path },
  });
  response.once('close', () => endRequest(span, response.statusCode));
  return span;
}
