import { type ServiceError, status } from '@grpc/grpc-js';
import type { AttemptOutcome } from './circuit-breaker.js';

/** What a failed attempt says about the worker. `hadFairTime`: the deadline gave it a time that is fair. */
export function outcomeOf(error: ServiceError, hadFairTime: boolean): AttemptOutcome {
  switch (error.code) {
    case status.UNAVAILABLE:
      // A connection that is lost leaves the choice by itself; who keeps losing them is sick.
      return wasRefused(error) ? 'undecided' : 'failed';
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

/**
 * The call came after the connection's GOAWAY, or was one too many: nothing of it was looked at (RFC 9113, section 8.7). This is how
 * grpc-js 1.14 puts it; another text would only cost a retry of the budget.
 */
export function wasRefused(error: ServiceError): boolean {
  return error.code === status.UNAVAILABLE && error.details === 'Stream refused by server';
}

/** A server's own answer comes with headers; a failure of the connection has none. */
export function isFromServer(error: ServiceError): boolean {
  return Object.keys(error.metadata?.getMap() ?? {}).length > 0;
}
