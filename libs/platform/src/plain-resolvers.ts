import { PIPES_METADATA } from '@nestjs/common/constants.js';
import {
  FIELD_RESOLVER_MIDDLEWARE_METADATA,
  PARAM_ARGS_METADATA,
  RESOLVER_NAME_METADATA,
  RESOLVER_PROPERTY_METADATA,
  RESOLVER_TYPE_METADATA,
} from '@nestjs/graphql';
import {
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';

type Method = (...args: unknown[]) => unknown;
type Resolve = GraphQLFieldResolver<unknown, unknown>;
type Pick = (source: unknown, args: unknown, context: unknown, info: GraphQLResolveInfo) => unknown;

interface Parameter {
  index: number;
  data?: string | undefined;
  pipes: readonly unknown[];
}

interface ResolverMethod {
  instance: object;
  name: string;
  method: Method;
}

/** What Nest writes for a parameter: `<kind>:<index>`; other keys are decorators of somebody's own. */
const KINDS: Readonly<Record<string, (data: string | undefined) => Pick>> = {
  0: () => (source) => source,
  1: (data) => (_source, _args, context) => memberOf(context, data),
  2: (data) => (_source, _args, _context, info) => memberOf(info, data),
  3: (data) => (_source, args) => memberOf(args, data),
};

/**
 * Nest calls every method of a resolver class through three async functions that look for guards, interceptors and pipes: for
 * a field of an object that costs more than the field. Where a method under `@ResolveField` has none of them, its field calls it
 * directly. Queries, mutations and subscriptions stay with Nest; references are called directly by Nest itself as long as their
 * parameters carry no decorators.
 *
 * @param instances  the providers of all modules; those that are no resolvers are passed over
 */
export function callFieldsPlainly(schema: GraphQLSchema, instances: Iterable<object>): GraphQLSchema {
  for (const instance of instances) {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (!prototype || prototype === Object.prototype) continue;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof method === 'function') callPlainly(schema, { instance, name, method: method as Method });
    }
  }
  return schema;
}

function callPlainly(schema: GraphQLSchema, resolver: ResolverMethod): void {
  const { instance, method, name } = resolver;
  if (!Reflect.getMetadata(RESOLVER_PROPERTY_METADATA, method) || needsNest(resolver)) return;
  const typeName: unknown =
    Reflect.getMetadata(RESOLVER_TYPE_METADATA, method) ??
    Reflect.getMetadata(RESOLVER_TYPE_METADATA, instance.constructor);
  const type = typeof typeName === 'string' ? schema.getType(typeName) : undefined;
  const picks = picksOf(instance.constructor, name);
  if (!isObjectType(type) || !picks) return;
  const fieldName: unknown = Reflect.getMetadata(RESOLVER_NAME_METADATA, method);
  const field = type.getFields()[typeof fieldName === 'string' ? fieldName : name];
  if (field && picks.length > 0) field.resolve = calling(method.bind(instance), picks);
}

function needsNest({ instance, method }: ResolverMethod): boolean {
  return [PIPES_METADATA, FIELD_RESOLVER_MIDDLEWARE_METADATA].some((key) =>
    [method, instance.constructor].some((target) => {
      const given: unknown = Reflect.getMetadata(key, target);
      return Array.isArray(given) && given.length > 0;
    }),
  );
}

/** What each parameter is taken from; null where Nest has to do more than that. */
function picksOf(constructor: object, name: string): Pick[] | null {
  const metadata = (Reflect.getMetadata(PARAM_ARGS_METADATA, constructor, name) ?? {}) as Record<
    string,
    Parameter
  >;
  const picks: Pick[] = [];
  for (const [key, { index, data, pipes }] of Object.entries(metadata)) {
    const pick = KINDS[key.split(':', 1)[0] ?? ''];
    if (!pick || pipes.length > 0) return null;
    picks[index] = pick(data);
  }
  return Array.from(picks, (pick) => pick ?? (() => undefined));
}

function calling(method: Method, [first, second, third, ...others]: readonly Pick[]): Resolve {
  if (!first) return () => method();
  if (!second) return (source, args, context, info) => method(first(source, args, context, info));
  if (!third) return (...all) => method(first(...all), second(...all));
  return (...all) =>
    method(first(...all), second(...all), third(...all), ...others.map((pick) => pick(...all)));
}

function memberOf(value: unknown, data: string | undefined): unknown {
  return data && value ? (value as Record<string, unknown>)[data] : value;
}
