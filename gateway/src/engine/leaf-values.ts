import { type GraphQLEnumType, type GraphQLLeafType, isEnumType } from 'graphql';

/** Where a value that is none of its type is reported. */
interface Reporting {
  readonly path: (string | number)[];
  garbageAt(coordinate: string): null;
}

/**
 * The value of a leaf as a client sees it, or null.
 *
 * @param key  of the field, when the path of `state` ends above it
 */
export type LeafReader = (value: unknown, state: Reporting, key?: string) => unknown;

/** Scalars of the specification are checked; what other scalars hold is between subgraph and client. */
export function leafReader(type: GraphQLLeafType, coordinate: string): LeafReader {
  if (isEnumType(type)) return enumReader(type);
  const isValid = CHECKS[type.name];
  if (!isValid) return (value) => value;
  const isId = type.name === 'ID';
  return (value, state, key) => {
    if (isValid(value)) return isId && typeof value === 'number' ? String(value) : value;
    if (key !== undefined) state.path.push(key);
    state.garbageAt(coordinate);
    if (key !== undefined) state.path.pop();
    return null;
  };
}

/** A value that clients may not see is null to them, and no error. */
function enumReader(type: GraphQLEnumType): LeafReader {
  const names: ReadonlySet<unknown> = new Set(type.getValues().map(({ name }) => name));
  return (value) => (names.has(value) ? value : null);
}

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  String: (value) => typeof value === 'string',
  ID: (value) => typeof value === 'string' || typeof value === 'number',
  Boolean: (value) => typeof value === 'boolean',
  Int: (value) => typeof value === 'number',
  Float: (value) => typeof value === 'number',
};
