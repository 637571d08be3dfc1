import { ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import type { ExecutionResult } from 'graphql';

/**
 * - `ok`: all of it was answered
 * - `partial`: some fields failed or are closed to the caller
 * - `refused`: nothing was done, and asking differently helps
 * - `failed`: nothing was answered, by no fault of the client
 */
export type OperationOutcome = 'ok' | 'partial' | 'refused' | 'failed';

const OUR_FAULTS: ReadonlySet<string> = new Set(['internal', 'unavailable', 'deadline-exceeded']);

export function outcomeOf({ data, errors }: ExecutionResult): OperationOutcome {
  if (!errors?.length) return 'ok';
  if (data !== undefined && data !== null) return 'partial';
  return codesOf(errors).some(isOurFault) ? 'failed' : 'refused';
}

/** Codes of an answer, each once. */
export function codesOf(errors: ExecutionResult['errors'] = []): string[] {
  return [...new Set(errors.map(({ extensions }) => String(extensions['code'] ?? 'INTERNAL_SERVER_ERROR')))];
}

function isOurFault(code: string): boolean {
  if (code === 'INTERNAL_SERVER_ERROR') return true;
  return Object.hasOwn(ERROR_KINDS, code) && OUR_FAULTS.has(ERROR_KINDS[code as ErrorCode]);
}
