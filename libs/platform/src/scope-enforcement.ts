import { DomainError, type Identity } from '@sextant/domain';
import {
  type ConstDirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';

/** The GraphQL context of every subgraph. */
export interface RequestContext {
  identity: Identity;
  /** epoch milliseconds after which nobody waits for the answer; absent where the caller named none */
  deadlineMs?: number;
}

/** OR of ANDs, as in `@requiresScopes(scopes: [["a", "b"], ["c"]])`. */
type ScopeRule = readonly (readonly string[])[];

/**
 * Checks scopes again in the subgraph, in place, for each field and type under `@requiresScopes`.
 * The gateway checks them first; this holds when the gateway is wrong.
 *
 * @throws Error at start-up when a root field states no rule, so that nothing is public by accident
 */
export function enforceScopes(schema: GraphQLSchema): GraphQLSchema {
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const typeRule = ruleOf(directivesOf(type));
    for (const field of Object.values(type.getFields())) {
      if (field.name === '_service' || field.name === '_entities') continue;
      const rules = [typeRule, ruleOf(field.astNode?.directives ?? [])].filter((rule) => rule !== null);
      if (rules.length > 0) guard(field, `${type.name}.${field.name}`, rules);
      else if (roots.has(type)) throw new Error(`${type.name}.${field.name} must state its @requiresScopes`);
    }
  }
  return schema;
}

/** True when the identity holds every scope of at least one alternative. */
export function satisfies(identity: Identity, rule: ScopeRule): boolean {
  return rule.some((all) => all.every((scope) => identity.scopes.includes(scope)));
}

function guard(field: GraphQLField<unknown, unknown>, coordinate: string, rules: readonly ScopeRule[]): void {
  const check = (context: unknown): void => {
    const { identity } = context as Partial<RequestContext>;
    if (!identity) throw new DomainError('UNAUTHENTICATED', 'a verified identity is needed');
    const missing = rules.find((rule) => !satisfies(identity, rule));
    if (missing)
      throw new DomainError(
        'FORBIDDEN',
        `${coordinate} needs the scope ${missing.map((all) => all.join(' and ')).join(' or ')}`,
      );
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

function ruleOf(directives: readonly ConstDirectiveNode[]): ScopeRule | null {
  const directive = directives.find(({ name }) => name.value === 'requiresScopes');
  const scopes = directive?.arguments?.find(({ name }) => name.value === 'scopes');
  return scopes ? (valueFromASTUntyped(scopes.value) as ScopeRule) : null;
}

function directivesOf(type: GraphQLObjectType): readonly ConstDirectiveNode[] {
  return [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
}
