import { GraphQLError, type GraphQLResolveInfo, type GraphQLSchema, isObjectType } from 'graphql';

/** A reference that a gateway sends: the type's name and its key. */
interface Representation {
  __typename: string;
}

type Reference = (representation: Representation, context: unknown, info: GraphQLResolveInfo) => unknown;

/**
 * `_entities` with one promise for all representations: graphql-js then completes them in one go, where a promise for each costs
 * three more turns of the queue apiece. What one reference throws is the error of its place only. Representations of interfaces
 * are left to `@apollo/subgraph`.
 */
export function resolveEntitiesTogether(schema: GraphQLSchema): GraphQLSchema {
  const field = schema.getQueryType()?.getFields()['_entities'];
  const original = field?.resolve;
  if (!field || !original) return schema;
  const references = referencesOf(schema);
  field.resolve = (source, args: { representations: readonly Representation[] }, context, info) => {
    const { representations } = args;
    if (!representations.every(({ __typename }) => references.has(__typename)))
      return original(source, args, context, info);
    return settled(
      representations.map((representation) => {
        try {
          return references.get(representation.__typename)?.(representation, context, info);
        } catch (error) {
          return asError(error);
        }
      }),
      representations,
    );
  };
  return schema;
}

/** How each object type is found by its reference; a type that says nothing of it is its own reference. */
function referencesOf(schema: GraphQLSchema): ReadonlyMap<string, Reference> {
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  return new Map(types.map((type) => [type.name, referenceOf(type.extensions) ?? ((own) => own)]));
}

function referenceOf(extensions: Readonly<Record<string, unknown>>): Reference | undefined {
  const { apollo } = extensions as { apollo?: { subgraph?: { resolveReference?: Reference } } };
  return apollo?.subgraph?.resolveReference;
}

/** Each found entity in its place, an Error where there was one. */
function settled(
  found: unknown[],
  representations: readonly Representation[],
): unknown[] | Promise<unknown[]> {
  const name = (i: number): unknown => named(found[i], representations[i]?.__typename ?? '');
  const waiting = found.flatMap((each, i) => (isPromise(each) ? [i] : []));
  if (waiting.length === 0) return found.map((_, i) => name(i));
  return new Promise((resolve) => {
    let open = waiting.length;
    const settle = (i: number, value: unknown): void => {
      found[i] = value;
      if (--open === 0) resolve(found.map((_, k) => name(k)));
    };
    for (const i of waiting)
      (found[i] as Promise<unknown>).then(
        (value) => settle(i, value),
        (error: unknown) => settle(i, asError(error)),
      );
  });
}

/** The entity with the name of its type, by which the union `_Entity` knows it. The name is not enumerable: it is no data. */
function named(entity: unknown, typeName: string): unknown {
  if (typeof entity !== 'object' || entity === null || entity instanceof Error) return entity;
  if ((entity as Partial<Representation>).__typename === typeName) return entity;
  if ('__typename' in entity || !Object.isExtensible(entity)) return { ...entity, __typename: typeName };
  return Object.defineProperty(entity, '__typename', { value: typeName });
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new GraphQLError(`unexpected: ${String(error)}`);
}
