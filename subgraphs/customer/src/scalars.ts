import { dateTimeScalar } from '@sextant/platform';
import { GraphQLScalarType, Kind } from 'graphql';

/**
 * DateTime that takes any input as it is: one bad date must reject its event and not the whole batch. Resolvers check
 * what they are given, with `parseDateTime`.
 */
export const uncheckedDateTimeScalar = new GraphQLScalarType<unknown, string>({
  ...dateTimeScalar.toConfig(),
  parseValue: (value) => value,
  parseLiteral: (node) => (node.kind === Kind.STRING ? node.value : null),
});
