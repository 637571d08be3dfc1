import type { handleUnaryCall } from '@grpc/grpc-js';
import type { Tracing } from '@sextant/telemetry';
import type { FailureLog } from '../operations/failure-log.js';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import type { CallContext } from './call-context.js';
import { UnaryCall } from './unary-call.js';

export interface HandlerParts {
  metrics: WorkerMetrics;
  failures: FailureLog;
  /** null: calls are not traced */
  tracing: Tracing | null;
  defaultDeadlineMs: number;
}

/** Gives a core function its deadline and answers with its result or its status. */
export function unaryHandler<Request, Response>(
  parts: HandlerParts,
  rpc: string,
  core: (request: Request, context: CallContext) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, reply) => {
    const answer = new UnaryCall<Response>(parts, rpc, call, reply);
    attempt(core, call.request, answer.context).then(
      (response) => answer.answered(response),
      (error: unknown) => answer.failed(error),
    );
  };
}

async function attempt<Request, Response>(
  core: (request: Request, context: CallContext) => Promise<Response> | Response,
  request: Request,
  context: CallContext,
): Promise<Response> {
  return core(request, context);
}
