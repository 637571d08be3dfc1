import { unwrapResolverError } from '@apollo/server/errors';
import { DomainError, type ErrorCode } from '@sextant/domain';
import type { GraphQLFormattedError } from 'graphql';

/** Codes of the GraphQL layer itself whose messages name the client's own document and nothing of ours. */
export const PROTOCOL_CODES: ReadonlySet<string> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/**
 * What a client may see of an error: intended failures with their code, protocol errors as they are, everything else masked.
 *
 * @param onUnexpected  told about each masked error, to log it
 */
export function graphqlErrorFormatter(onUnexpected: (error: unknown) => void) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const original = asDomainError(unwrapResolverError(error));
    const where = {
      ...(formatted.path && { path: formatted.path }),
      ...(formatted.locations && { locations: formatted.locations }),
    };
    if (original) {
      return {
        message: original.message,
        ...where,
        extensions: {
          code: original.code,
          ...(original.path && { argument: original.path }),
          ...(original.retryAfterMs !== undefined && { retryAfterMs: original.retryAfterMs }),
        },
      };
    }
    const code = formatted.extensions?.['code'];
    if (typeof code === 'string' && PROTOCOL_CODES.has(code))
      return { message: formatted.message, ...where, extensions: { code } };
    onUnexpected(error);
    return {
      message: 'Something went wrong on our side; it was logged.',
      ...where,
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    };
  };
}

/** The error as one of ours: itself, or a failure of the store under its own code; null when it is a bug. */
export function asDomainError(error: unknown): DomainError | null {
  if (error instanceof DomainError) return error;
  const code = storeErrorCode(error);
  if (!code) return null;
  const message =
    code === 'STORE_UNAVAILABLE'
      ? 'the store cannot be reached; try again in a moment'
      : 'the store did not answer in time; try again';
  return new DomainError(code, message, { cause: error });
}

function storeErrorCode(error: unknown): ErrorCode | null {
  if (!(error instanceof Error)) return null;
  if (error.name === 'MongoOperationTimeoutError') return 'STORE_DEADLINE_EXCEEDED';
  if (
    /^Mongo(ServerSelection|Network|NetworkTimeout|PoolCleared|WaitQueueTimeout|TopologyClosed|NotConnected|ServerClosed|ConnectionPool\w*)Error$/.test(
      error.name,
    )
  )
    return 'STORE_UNAVAILABLE';
  if (error.name === 'MongooseServerSelectionError' || error.name === 'PoolClearedOnNetworkError')
    return 'STORE_UNAVAILABLE';
  const labels = (error as { hasErrorLabel?: (label: string) => boolean }).hasErrorLabel;
  const transient =
    typeof labels === 'function' &&
    (labels.call(error, 'RetryableWriteError') || labels.call(error, 'ResetPool'));
  return transient ? 'STORE_UNAVAILABLE' : null;
}
