import { DomainError, type ErrorCode } from '@sextant/domain';
import { GraphQLError } from 'graphql';

/** An error that refuses an operation before it is executed, with the HTTP status of the answer. */
export function refusal(
  code: ErrorCode,
  message: string,
  { status = 400, retryAfterMs }: { status?: number; retryAfterMs?: number } = {},
): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, http: { status }, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    originalError: new DomainError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
