import {
  type AccessRule,
  DomainError,
  type Identity,
  meets,
  demandOf,
  unknownPolicies,
} from '@sextant/domain';
import {
  type ConstDirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { accessRulesOf } from './access-directives.js';

/** The GraphQL context of every subgraph. */
export interface RequestContext {
  identity: Identity;
  /** epoch milliseconds after which nobody waits for the answer; absent where the caller named none */
  deadlineMs?: number;
}

/**
 * Checks again in the subgraph, in place, each field and type under `@authenticated`, `@requiresScopes` or `@policy`.
 * The gateway checks them first; this holds when the gateway is wrong.
 *
 * @param unstated  root fields without a rule: refused, or open to whoever may sign requests, for schemas that are not ours
 * @throws Error at start-up when a root field states no rule, so that nothing is public by accident, or a policy is not defined
 */
export function enforceScopes(
  schema: GraphQLSchema,
  unstated: 'refused' | 'open' = 'refused',
): GraphQLSchema {
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const above = [...directivesOf(type), ...type.getInterfaces().flatMap(directivesOf)];
    for (const field of Object.values(type.getFields())) {
      if (field.name === '_service' || field.name === '_entities') continue;
      const declared = type.getInterfaces().map((parent) => parent.getFields()[field.name]);
      const own = [field, ...declared].flatMap((one) => one?.astNode?.directives ?? []);
      const rules = accessRulesOf([...above, ...own]);
      const coordinate = `${type.name}.${field.name}`;
      const unknown = rules.flatMap(unknownPolicies);
      if (unknown.length > 0)
        throw new Error(`${coordinate} names the policy ${unknown.join(', ')}, which is not defined`);
      if (rules.length > 0) guard(field, coordinate, rules);
      else if (roots.has(type) && unstated === 'refused')
        throw new Error(`${coordinate} must state its @requiresScopes`);
    }
  }
  return schema;
}

function guard(
  field: GraphQLField<unknown, unknown>,
  coordinate: string,
  rules: readonly AccessRule[],
): void {
  const demand = demandOf(coordinate, rules);
  const check = (context: unknown): void => {
    const { identity } = context as Partial<RequestContext>;
    if (!identity) throw new DomainError('UNAUTHENTICATED', 'a verified identity is needed');
    if (!rules.every((rule) => meets(rule, identity))) throw new DomainError('FORBIDDEN', demand);
  };
  const { resolve = defaultFieldResolver, subscribe } = field;
  field.resolve = (source, args, context, info) => {
    check(context);
    return resolve(source, args, context, info);
  };
  if (subscribe) {
    field.subscribe = (source, args, context, info) => {
      check(context);
      return subscribe(source, args, context, info);
    };
  }
}

function directivesOf(type: GraphQLObjectType | GraphQLInterfaceType): readonly ConstDirectiveNode[] {
  return [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
}
