import { type sendUnaryData, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { toStatusAnswer } from '@sextant/inference-protocol';
import { beginCallSpan, endCallSpan } from '../operations/call-spans.js';
import { GrpcCallContext } from './grpc-call-context.js';
import type { HandlerParts } from './unary.handler.js';

/** A call that is answered once: with a response or with the status of what went wrong. Either way it is counted and its span ends. */
export class UnaryCall<Response> {
  readonly context: GrpcCallContext;
  private readonly startedAt = performance.now();

  constructor(
    private readonly parts: HandlerParts,
    private readonly rpc: string,
    call: ServerUnaryCall<unknown, Response>,
    private readonly reply: sendUnaryData<Response>,
  ) {
    this.context = new GrpcCallContext(call, parts.defaultDeadlineMs);
    if (parts.tracing) this.context.span = beginCallSpan(parts.tracing, call.getPath(), this.context);
  }

  answered(response: Response): void {
    this.finish(status.OK);
    this.reply(null, response);
  }

  failed(error: unknown): void {
    const failure = toStatusAnswer(error);
    const { context, rpc } = this;
    const code = context.wasGivenUp ? status.CANCELLED : failure.code;
    this.finish(code);
    const { traceparent, served } = context;
    this.parts.failures.callFailed({ rpc, code, error, traceparent, served });
    this.reply(failure);
  }

  private finish(code: number): void {
    const { context } = this;
    const { served, span } = context;
    const ms = performance.now() - this.startedAt;
    this.parts.metrics.recorder(this.rpc, served?.model, served?.version).finished(code, ms, context);
    if (span) endCallSpan(span, code, served);
  }
}
