import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type ConstDirectiveNode,
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';
import { ROOT } from './graph-processes.js';

export const SUPERGRAPH_SDL = readFileSync(join(ROOT, 'gateway/supergraph.graphql'), 'utf8');
export const SUPERGRAPH = buildSchema(SUPERGRAPH_SDL, { assumeValidSDL: true });

type ScopeRule = string[][];
type Field = GraphQLField<unknown, unknown>;

/** A way from a root to one protected field. */
export interface Probe {
  coordinate: string;
  query: string;
  /** what the fields on the way need, all of them */
  rules: ScopeRule[];
}

interface Step {
  typeName: string;
  field: Field;
  before: Step | null;
}

/** True when the scopes open every field on the way. */
export function opens({ rules }: Probe, scopes: readonly string[]): boolean {
  return rules.every((rule) => rule.some((all) => all.every((scope) => scopes.includes(scope))));
}

export function rootFields(): { coordinate: string; rule: ScopeRule | null }[] {
  return [SUPERGRAPH.getQueryType(), SUPERGRAPH.getMutationType(), SUPERGRAPH.getSubscriptionType()].flatMap(
    (type) =>
      Object.values(type?.getFields() ?? {}).map((field) => ({
        coordinate: `${type?.name}.${field.name}`,
        rule: ruleOf(field),
      })),
  );
}

/** One probe for each field that states a rule and can be reached, found breadth first. */
export function probes(schema: GraphQLSchema = SUPERGRAPH): Probe[] {
  const found: Probe[] = [];
  const seen = new Set<string>();
  const queue: { typeName: string; before: Step | null }[] = [
    { typeName: 'Query', before: null },
    { typeName: 'Mutation', before: null },
  ];
  for (const { typeName, before } of queue) {
    const type = schema.getType(typeName);
    if (seen.has(typeName) || !isObjectType(type)) continue;
    seen.add(typeName);
    for (const field of Object.values(type.getFields())) {
      const step = { typeName, field, before };
      if (ruleOf(field)) found.push(probeOf(step));
      const output = getNamedType(field.type);
      const next = isInterfaceType(output) ? schema.getPossibleTypes(output) : [output];
      queue.push(...next.filter(isObjectType).map(({ name }) => ({ typeName: name, before: step })));
    }
  }
  return found;
}

/** Fields that state a rule and that no probe reaches. */
export function unreached(schema: GraphQLSchema = SUPERGRAPH): string[] {
  const reached = new Set(probes(schema).map(({ coordinate }) => coordinate));
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(ruleOf)
        .map((field) => `${type.name}.${field.name}`),
    )
    .filter((coordinate) => !reached.has(coordinate));
}

function probeOf(last: Step): Probe {
  const rules: ScopeRule[] = [];
  let text = isLeafType(getNamedType(last.field.type)) ? '' : '{ __typename }';
  for (let step: Step | null = last; step; step = step.before) {
    const rule = ruleOf(step.field);
    if (rule) rules.push(rule);
    const isRoot = step.before === null;
    const selection = `${step.field.name}${argumentsOf(step.field)} ${text}`;
    text = isRoot ? `{ ${selection} }` : `{ ... on ${step.typeName} { ${selection} } }`;
    if (isRoot && step.typeName === 'Mutation') text = `mutation ${text}`;
  }
  return { coordinate: `${last.typeName}.${last.field.name}`, query: text, rules };
}

function argumentsOf(field: Field): string {
  const needed = field.args.filter(
    ({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined,
  );
  return needed.length === 0
    ? ''
    : `(${needed.map(({ name, type }) => `${name}: ${literalOf(type)}`).join(', ')})`;
}

function literalOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literalOf(type.ofType);
  if (isListType(type)) return '[]';
  if (isEnumType(type)) return type.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter(
      (field) => isNonNullType(field.type) && field.defaultValue === undefined,
    );
    return `{ ${needed.map((field) => `${field.name}: ${literalOf(field.type)}`).join(', ')} }`;
  }
  const literals: Record<string, string> = {
    Int: '1',
    Float: '1',
    Boolean: 'true',
    DateTime: '"2026-01-01T00:00:00Z"',
    JSON: '{}',
  };
  return literals[type.name] ?? '"x"';
}

function ruleOf(field: Field): ScopeRule | null {
  const directive = field.astNode?.directives?.find(
    ({ name }: ConstDirectiveNode) => name.value === 'requiresScopes',
  );
  const scopes = directive?.arguments?.find(({ name }) => name.value === 'scopes');
  return scopes ? (valueFromASTUntyped(scopes.value) as ScopeRule) : null;
}
