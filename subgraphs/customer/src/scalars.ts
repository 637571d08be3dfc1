import { GraphQLScalarType, valueFromASTUntyped } from 'graphql';

/** One event as it was sent, unchecked: ingestion checks each row on its own. */
export const eventInputScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'EventInput',
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
