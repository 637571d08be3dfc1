import type { IncomingMessage } from 'node:http';
import { forwardedSpan, loadTracing, type TraceSpan, type Tracing } from '@sextant/telemetry';
import { createLogger } from './logger.js';
import { pathOf } from './signed-request.js';

/**
 * Tracing of a process by the OTEL_ variables of its environment; null without an endpoint.
 *
 * @throws DomainError CONFIG_INVALID for an exporter or a protocol that is not offered
 */
export async function processTracing(
  service: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Tracing | null> {
  const logger = createLogger(service, 'warn');
  let nextAt = 0;
  const onProblem = (problem: string): void => {
    if (Date.now() < nextAt) return;
    nextAt = Date.now() + 1_000;
    logger.warn({ problem: problem.slice(0, 300) }, 'spans cannot be exported');
  };
  return loadTracing(env, { service, onProblem });
}

/**
 * The span that puts a request into the trace of its caller: one of its own, or the caller's handed on where this process does
 * not trace.
 *
 * @param body  the parsed body, for the operation's name
 */
export function requestSpan(
  tracing: Tracing | null,
  request: IncomingMessage,
  body: unknown,
): TraceSpan | undefined {
  const { traceparent, tracestate } = request.headers;
  const parent = { traceparent: textOf(traceparent), tracestate: textOf(tracestate) };
  if (!tracing) return forwardedSpan(parent);
  const [name, path, method = 'GET'] = [operationNameOf(body), pathOf(request), request.method];
  return tracing.span(`${method} ${path}`, parent, {
    kind: 'server',
    attributes: {
      'http.request.method': method,
      'url.path': path,
      ...(name !== undefined && { 'graphql.operation.name': name }),
    },
  });
}

/** Ends the span of a request that was answered over HTTP. */
export function endRequest(span: TraceSpan, status: number): void {
  span.set({ 'http.response.status_code': status });
  if (status >= 500) span.fail(`HTTP status ${status}`);
  span.end();
}

/** The name of a GraphQL request's operation, when it is a plain one. */
export function operationNameOf(body: unknown): string | undefined {
  const name = (body as { operationName?: unknown } | undefined)?.operationName;
  return typeof name === 'string' && /^\w{1,100}$/.test(name) ? name : undefined;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
