import { DomainError, isCalendarDay } from '@sextant/domain';
import { GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339 date-time with an offset; a `Date` in resolvers. */
export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => (value instanceof Date ? value : parseDateTime(value)).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : null),
});

/** Any JSON value. */
export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

/** @throws DomainError INVALID_INPUT when the value is no RFC 3339 date-time with an offset, or its day is in no calendar */
export function parseDateTime(value: unknown): Date {
  const isWritten = typeof value === 'string' && RFC_3339.test(value) && isCalendarDay(value);
  const date = isWritten ? new Date(value) : null;
  if (!date || Number.isNaN(date.getTime())) {
    throw new DomainError(
      'INVALID_INPUT',
      `a DateTime is written like 2026-01-31T12:00:00Z, got ${JSON.stringify(value)?.slice(0, 60)}`,
    );
  }
  return date;
}
