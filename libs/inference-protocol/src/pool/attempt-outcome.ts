import { type ServiceError, status } from '@grpc/grpc-js';
import type { AttemptOutcome } from './circuit-breaker.js';

/** What a failed attempt says about the worker. `hadFairTime`: the deadline gave it a time that is fair. */
export function outcomeOf(error: ServiceError, hadFairTime: boolean): AttemptOutcome {
  switch (error.code) {
    case status.UNAVAILABLE:
      return isFromServer(error) ? 'failed' : 'unreachable';
    case status.DEADLINE_EXCEEDED:
      // The server's own timer may be the first; either way no answer came.
      return hadFairTime ? 'unreachable' : 'undecided';
    case status.CANCELLED:
      return 'undecided';
    case status.INTERNAL:
    case status.UNKNOWN:
    case status.UNIMPLEMENTED:
    case status.DATA_LOSS:
      return 'failed';
    default:
      return 'answered';
  }
}

/** A server's own answer comes with headers; a failure of the connection has none. */
export function isFromServer(error: ServiceError): boolean {
  return Object.keys(error.metadata?.getMap() ?? {}).length > 0;
}
