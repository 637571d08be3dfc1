import { DomainError, ERROR_KINDS } from '@sextant/domain';
import { PROTOCOL_CODES } from '@sextant/platform';
import { GraphQLError, Kind } from 'graphql';

const PUBLIC_CODES: ReadonlySet<unknown> = new Set([
  ...PROTOCOL_CODES,
  ...Object.keys(ERROR_KINDS),
  'INTERNAL_SERVER_ERROR',
]);

/**
 * What a client sees of an error: one with a documented code keeps its message, path, code and hint when to try again, and
 * nothing else; any other becomes INTERNAL_SERVER_ERROR.
 *
 * @param onUnexpected  told about each error that is hidden, to log it
 */
export function errorMask(onUnexpected: (error: unknown) => void): (error: unknown) => GraphQLError {
  return (error) => {
    if (error instanceof DomainError)
      return new GraphQLError(error.message, {
        extensions: extensionsOf(error.code, { argument: error.path, retryAfterMs: error.retryAfterMs }),
      });
    if (!isGraphQLError(error)) return hidden(error, onUnexpected);
    const { code, argument, retryAfterMs, http } = error.extensions;
    const shownCode = PUBLIC_CODES.has(code) ? String(code) : codeOfClientError(error);
    if (!shownCode) return hidden(error, onUnexpected);
    return new GraphQLError(error.message, {
      ...(error.path && { path: error.path }),
      ...(error.nodes && { nodes: error.nodes }),
      extensions: {
        ...extensionsOf(shownCode, { argument, retryAfterMs }),
        ...(http !== undefined && { http }),
      },
    });
  };
}

/** Variables that do not fit their types, which graphql-js reports without a code; errors of subgraphs have no nodes. */
function codeOfClientError({ nodes, path }: GraphQLError): string | null {
  return path === undefined && nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION ? 'BAD_USER_INPUT' : null;
}

function hidden(error: unknown, onUnexpected: (error: unknown) => void): GraphQLError {
  onUnexpected(error);
  const path = isGraphQLError(error) ? error.path : undefined;
  const extensions = extensionsOf('INTERNAL_SERVER_ERROR', {});
  return new GraphQLError('Something went wrong on our side; it was logged.', {
    ...(path && { path }),
    extensions,
  });
}

function extensionsOf(
  code: string,
  { argument, retryAfterMs }: { argument?: unknown; retryAfterMs?: unknown },
): Record<string, unknown> {
  return {
    code,
    ...(typeof argument === 'string' && { argument }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  };
}

function isGraphQLError(error: unknown): error is GraphQLError {
  return error instanceof Error && error.name === 'GraphQLError';
}
