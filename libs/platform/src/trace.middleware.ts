import { forwardedSpan, loadTracing, runInSpan, type TraceSpan, type Tracing } from '@sextant/telemetry';
import type { NextFunction, Request, Response } from 'express';
import { createLogger } from './logger.js';

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

/** Puts each request into the trace of its caller: as a span of its own, or handed on where this process does not trace. */
export function traceRequests(tracing: Tracing | null) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const parent = { traceparent: request.get('traceparent'), tracestate: request.get('tracestate') };
    const span = tracing ? beginRequest(tracing, parent, request) : forwardedSpan(parent);
    if (!span) return next();
    response.once('close', () => endRequest(span, response.statusCode));
    runInSpan(span, next);
  };
}

function beginRequest(
  tracing: Tracing,
  parent: { traceparent: string | undefined; tracestate: string | undefined },
  request: Request,
): TraceSpan {
  const name = operationNameOf(request.body);
  return tracing.span(`${request.method} ${request.baseUrl}`, parent, {
    kind: 'server',
    attributes: {
      'http.request.method': request.method,
      'url.path': request.baseUrl,
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
