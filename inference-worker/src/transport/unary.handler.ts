import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { type StatusAnswer, toStatusAnswer } from '@sextant/inference-protocol';
import type { Logger } from 'pino';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import type { CallContext } from './call-context.js';
import { GrpcCallContext } from './grpc-call-context.js';

export interface HandlerParts {
  metrics: WorkerMetrics;
  logger: Logger;
  defaultDeadlineMs: number;
}

/** Gives a core function its deadline and signal, answers with its result or its status, and counts the call. */
export function unaryHandler<Request, Response>(
  parts: HandlerParts,
  rpc: string,
  core: (request: Request, context: CallContext) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, reply) => {
    const startedAt = performance.now();
    const context = new GrpcCallContext(call, parts.defaultDeadlineMs);
    const finish = (code: status): void => {
      const { model = 'none', version = 'none' } = context.served ?? {};
      parts.metrics.callFinished({
        rpc,
        model,
        version,
        code: status[code],
        seconds: (performance.now() - startedAt) / 1000,
      });
    };
    answer(core, call.request, context).then(
      (response) => {
        finish(status.OK);
        reply(null, response);
      },
      (error: unknown) => {
        const failure = toStatusAnswer(error);
        finish(failure.code);
        logFailure(parts.logger, { rpc, error, failure, context });
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

/** Refusals are the caller's to read; only bugs and failing models are the operator's. */
function logFailure(
  logger: Logger,
  {
    rpc,
    error,
    failure,
    context,
  }: { rpc: string; error: unknown; failure: StatusAnswer; context: CallContext },
): void {
  const { traceparent, served } = context;
  const fields = { rpc, code: status[failure.code], ...served, traceparent };
  if (failure.code === status.INTERNAL) logger.error({ ...fields, err: error }, 'call failed');
  else logger.debug({ ...fields, reason: failure.details }, 'call refused');
}
