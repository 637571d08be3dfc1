import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { toStatusAnswer } from '@sextant/inference-protocol';
import type { Tracing } from '@sextant/telemetry';
import { beginCallSpan, endCallSpan } from '../operations/call-spans.js';
import type { FailureLog } from '../operations/failure-log.js';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import type { CallContext } from './call-context.js';
import { GrpcCallContext } from './grpc-call-context.js';

export interface HandlerParts {
  metrics: WorkerMetrics;
  failures: FailureLog;
  /** null: calls are not traced */
  tracing: Tracing | null;
  defaultDeadlineMs: number;
}

/** Gives a core function its deadline and signal, answers with its result or its status, counts and traces the call. */
export function unaryHandler<Request, Response>(
  parts: HandlerParts,
  rpc: string,
  core: (request: Request, context: CallContext) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, reply) => {
    const startedAt = performance.now();
    const context = new GrpcCallContext(call, parts.defaultDeadlineMs);
    if (parts.tracing) context.span = beginCallSpan(parts.tracing, call.getPath(), context);
    const finish = (code: status): void =>
      finishCall(parts.metrics, { rpc, context, code, ms: performance.now() - startedAt });
    answer(core, call.request, context).then(
      (response) => {
        finish(status.OK);
        reply(null, response);
      },
      (error: unknown) => {
        const failure = toStatusAnswer(error);
        const code = context.wasGivenUp ? status.CANCELLED : failure.code;
        const { traceparent, served } = context;
        finish(code);
        parts.failures.callFailed({ rpc, code, error, traceparent, served });
        reply(failure);
      },
    );
  };
}

async function answer<Request, Response>(
  core: (request: Request, context: CallContext) => Promise<Response> | Response,
  request: Request,
  context: CallContext,
): Promise<Response> {
  return core(request, context);
}

/** Counts a call that was answered and ends its span. */
export function finishCall(
  metrics: WorkerMetrics,
  { rpc, context, code, ms }: { rpc: string; context: CallContext; code: number; ms: number },
): void {
  const { served, span } = context;
  metrics.recorder(rpc, served?.model, served?.version).finished(code, ms);
  if (span) endCallSpan(span, code, served);
}
