import { GraphQLError } from 'graphql';

/** What graphql-js adds to a name that the schema does not have: the ones in it that look alike. */
const SUGGESTION = / Did you mean [^]*$/;

/** The same error without names of the schema that the client did not send itself. */
export function withoutSuggestion(error: GraphQLError): GraphQLError {
  const message = error.message.replace(SUGGESTION, '');
  if (message === error.message) return error;
  const { nodes, source, positions, path, extensions, originalError } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions, originalError });
}
