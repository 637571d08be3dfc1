import { DomainError } from '@sextant/domain';
import { ModelRunError, ThreadLostError } from '../onnx/session-thread.js';
import type { LaneOptions } from './batch-lane.js';

export function cancelled(): DomainError {
  return new DomainError('INFERENCE_DEADLINE_EXCEEDED', 'the caller cancelled or its deadline passed');
}

export function asDomainError(cause: unknown, { model, version }: LaneOptions): unknown {
  if (cause instanceof ModelRunError) {
    return new DomainError('INFERENCE_FAILED', `${model} version ${version} could not run the rows`, {
      cause,
    });
  }
  if (cause instanceof ThreadLostError) {
    const message = `two inference threads ended under the same rows of ${model} version ${version}`;
    return new DomainError('INFERENCE_FAILED', message, { cause });
  }
  return cause;
}
