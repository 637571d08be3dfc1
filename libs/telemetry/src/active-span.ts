import { AsyncLocalStorage } from 'node:async_hooks';
import type { RemoteParent, TraceSpan } from './tracing.js';

const active = new AsyncLocalStorage<TraceSpan>();

/** Runs work so that {@link activeSpan} finds the span, however deep and however late in it. */
export function runInSpan<T>(span: TraceSpan, work: () => T): T {
  return active.run(span, work);
}

/** The span of the request that is worked on; undefined outside of one. */
export function activeSpan(): TraceSpan | undefined {
  return active.getStore();
}

const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/**
 * For processes that do not trace: records nothing and hands the caller's trace context on as it came, so that whoever is called
 * stays in the caller's trace.
 *
 * @returns undefined where the caller sent none
 */
export function forwardedSpan({ traceparent, tracestate }: RemoteParent): TraceSpan | undefined {
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return undefined;
  const span: TraceSpan = {
    isRecording: false,
    traceparent,
    tracestate,
    child: () => span,
    set: () => undefined,
    fail: () => undefined,
    end: () => undefined,
  };
  return span;
}
