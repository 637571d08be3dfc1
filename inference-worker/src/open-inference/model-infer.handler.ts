import type { handleUnaryCall } from '@grpc/grpc-js';
import { openInferenceService } from '@sextant/inference-protocol';
import type { ModelRunner } from '../models/model-runner.js';
import { overBytes } from '../transport/over-bytes.js';
import { UnaryCall } from '../transport/unary-call.js';
import type { HandlerParts } from '../transport/unary.handler.js';
import { InferCall } from './infer-call.js';

/** `ModelInfer` over the bytes of its messages: it is by far the most frequent call, and its codec is our own. */
export function modelInferHandler(parts: HandlerParts, runner: ModelRunner): handleUnaryCall<Buffer, Buffer> {
  return (call, reply) => {
    const answer = new UnaryCall<Buffer>(parts, 'ModelInfer', call, reply);
    new InferCall(runner, answer.context, answer).start(call.request);
  };
}

/** The service with `ModelInfer` left undecoded. */
export const openInferenceServiceOverBytes = overBytes(openInferenceService, ['ModelInfer']);
