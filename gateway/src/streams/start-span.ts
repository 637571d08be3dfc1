import type { IncomingMessage } from 'node:http';
import { forwardedSpan, type TraceSpan, type Tracing } from '@sextant/platform';
import type { ExecutionResult } from 'graphql';
import { codesOf, outcomeOf } from '../observe/operation-outcome.js';
import type { Subscription } from './stream-hub.js';
import type { StreamProtocol } from './stream-metrics.js';

/** An operation that comes over a stream. */
export interface StreamArrival {
  request: IncomingMessage;
  protocol: StreamProtocol;
  /** of the operation; `traceparent` and `tracestate` in it go before those of the request, which opened the WebSocket long ago */
  extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * The beginning of an operation on a stream: from when it was read until it stands, is answered or refused. Hours of events are in no
 * span. A child of the client's where it sent a trace context.
 */
export function startSpan(
  tracing: Tracing | null,
  { request, protocol, extensions }: StreamArrival,
): TraceSpan | undefined {
  const textOf = (name: string): string | undefined => {
    const value = extensions?.[name] ?? request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const parent = { traceparent: textOf('traceparent'), tracestate: textOf('tracestate') };
  if (!tracing) return forwardedSpan(parent);
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  return tracing.span(`stream ${path}`, parent, {
    kind: 'server',
    attributes: { 'url.path': path, 'sextant.stream.protocol': protocol },
  });
}

/** Ends the span with what came of the beginning. */
export async function endStart(
  span: TraceSpan | undefined,
  beginning: Promise<Subscription | ExecutionResult>,
): Promise<Subscription | ExecutionResult> {
  try {
    const begun = await beginning;
    if (!('leave' in begun) && span) describe(span, begun);
    return begun;
  } catch (error) {
    span?.fail('INTERNAL_SERVER_ERROR');
    throw error;
  } finally {
    span?.end();
  }
}

/** A subgraph may refuse what the gateway has admitted. */
function describe(span: TraceSpan, result: ExecutionResult): void {
  const outcome = outcomeOf(result);
  const codes = codesOf(result.errors).join(' ');
  span.set({ 'graphql.outcome': outcome, ...(codes !== '' && { 'graphql.error.codes': codes }) });
  if (outcome === 'failed') span.fail(codes);
}
