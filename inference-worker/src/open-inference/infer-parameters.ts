import { DomainError } from '@sextant/domain';
import type { InferParameters, InferRequest } from '@sextant/inference-protocol';
import { shown } from '../transport/shown.js';
import { PRIORITY, type Priority } from '../transport/call-context.js';

/** What a request's parameters ask of the queue. */
export interface QueueWishes {
  /** undefined: as the call's metadata say */
  priority: Priority | undefined;
  /** undefined: until the call's deadline */
  timeoutMs: number | undefined;
}

const NO_WISHES: QueueWishes = { priority: undefined, timeoutMs: undefined };
const LOWEST_PRIORITY = PRIORITY.LOW;
const SEQUENCE = ['sequence_id', 'sequence_start', 'sequence_end'];

/**
 * Triton's scheduling parameters: `priority` (1 first … 3 last, 0: the default) and `timeout` (microseconds in the queue). Those
 * of features that are not offered are refused instead of ignored; unknown ones are ignored, as the protocol wants.
 *
 * @throws DomainError INVALID_INPUT naming the parameter
 */
export function readQueueWishes({ parameters, inputs, outputs }: InferRequest): QueueWishes {
  for (const [i, input] of inputs.entries()) refuseSharedMemory(input.parameters, `inputs[${i}]`);
  for (const [i, output] of outputs.entries()) {
    refuseSharedMemory(output.parameters, `outputs[${i}]`);
    if (output.parameters?.has('classification'))
      throw refused(
        `outputs[${i}].parameters.classification`,
        'classification is not offered; read the raw output',
      );
  }
  if (!parameters) return NO_WISHES;
  for (const name of SEQUENCE) {
    if (parameters.get(name))
      throw refused(`parameters.${name}`, 'sequences are not offered: no model here keeps state');
  }
  return { priority: priorityOf(parameters), timeoutMs: timeoutOf(parameters) };
}

function priorityOf(parameters: InferParameters): Priority | undefined {
  const value = parameters.get('priority');
  if (value === undefined || value === 0) return undefined;
  if (value === PRIORITY.HIGH || value === PRIORITY.NORMAL || value === PRIORITY.LOW) return value;
  throw refused(
    'parameters.priority',
    `must be 1 to ${LOWEST_PRIORITY}, or 0 for the default, got ${shown(String(value))}`,
  );
}

function timeoutOf(parameters: InferParameters): number | undefined {
  const value = parameters.get('timeout');
  if (value === undefined || value === 0) return undefined;
  if (typeof value === 'number' && value > 0) return value / 1000;
  throw refused(
    'parameters.timeout',
    `must be microseconds, a number from 0 on, got ${shown(String(value))}`,
  );
}

function refuseSharedMemory(parameters: InferParameters | null, path: string): void {
  if (parameters?.has('shared_memory_region'))
    throw refused(
      `${path}.parameters.shared_memory_region`,
      'shared memory is not offered; send the contents',
    );
}

function refused(path: string, message: string): DomainError {
  return new DomainError('INVALID_INPUT', `${path}: ${message}`, { path });
}
