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

/** OR of ANDs of scopes or of policies. */
export interface Rule {
  kind: 'authenticated' | 'requiresScopes' | 'policy';
  anyOf: string[][];
}

/** Who may call: what the tests give a caller and the rules speak of. */
export interface Rights {
  roles: readonly string[];
  scopes: readonly string[];
}

/** Roles that a policy opens to, written down here a second time on purpose. */
const POLICY_ROLES: Readonly<Record<string, readonly string[]>> = {
  commercial_secrets: ['analyst', 'marketer', 'operator'],
};
type Field = GraphQLField<unknown, unknown>;

/** A way from a root to one protected field. */
export interface Probe {
  coordinate: string;
  query: string;
  /** what the fields on the way need, all of them, from the root on */
  rules: { path: string[]; rule: Rule }[];
  isMutation: boolean;
}

interface Step {
  typeName: string;
  field: Field;
  before: Step | null;
}

/** The first field on the way that is closed to a caller, as a path of field names; null: all are open. */
export function closedAt({ rules }: Probe, rights: Rights): string[] | null {
  return rules.find(({ rule }) => !isMet(rule, rights))?.path ?? null;
}

/** True when every field on the way is open. */
export function opens(probe: Probe, rights: Rights): boolean {
  return closedAt(probe, rights) === null;
}

function isMet({ kind, anyOf }: Rule, { roles, scopes }: Rights): boolean {
  if (kind === 'authenticated') return true;
  const holds = (name: string): boolean =>
    kind === 'requiresScopes'
      ? scopes.includes(name)
      : roles.some((role) => POLICY_ROLES[name]?.includes(role)) && !roles.includes('partner');
  return anyOf.some((all) => all.every(holds));
}

export function rootFields(): { coordinate: string; rules: Rule[] }[] {
  return [SUPERGRAPH.getQueryType(), SUPERGRAPH.getMutationType(), SUPERGRAPH.getSubscriptionType()].flatMap(
    (type) =>
      Object.values(type?.getFields() ?? {}).map((field) => ({
        coordinate: `${type?.name}.${field.name}`,
        rules: rulesOf(field),
      })),
  );
}

/** One subscription for each root field of that kind. */
export function subscriptions(schema: GraphQLSchema = SUPERGRAPH): Probe[] {
  const fields = schema.getSubscriptionType()?.getFields() ?? {};
  return Object.values(fields).map((field) => {
    const probe = probeOf({ typeName: 'Subscription', field, before: null });
    return { ...probe, query: `subscription ${probe.query}` };
  });
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
      if (rulesOf(field).length > 0) found.push(probeOf(step));
      const output = getNamedType(field.type);
      const next = isInterfaceType(output) ? schema.getPossibleTypes(output) : [output];
      queue.push(...next.filter(isObjectType).map(({ name }) => ({ typeName: name, before: step })));
    }
  }
  return found;
}

/** A field of an object that states rules. */
export interface ClosedField {
  typeName: string;
  name: string;
  /** its selection, with what it needs of arguments */
  text: string;
  rules: Rule[];
}

/** The fields below the roots that state a rule. */
export function closedFields(schema: GraphQLSchema = SUPERGRAPH): ClosedField[] {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  return types
    .filter((type) => !roots.includes(type))
    .flatMap((type) =>
      Object.values(type.getFields()).map((field) => ({
        typeName: type.name,
        name: field.name,
        text: `${field.name}${argumentsOf(field)} ${isLeafType(getNamedType(field.type)) ? '' : '{ __typename }'}`,
        rules: rulesOf(field),
      })),
    )
    .filter(({ rules }) => rules.length > 0);
}

/** Fields that state a rule and that no probe reaches. */
export function unreached(schema: GraphQLSchema = SUPERGRAPH): string[] {
  const reached = new Set(probes(schema).map(({ coordinate }) => coordinate));
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => rulesOf(field).length > 0)
        .map((field) => `${type.name}.${field.name}`),
    )
    .filter((coordinate) => !reached.has(coordinate));
}

function probeOf(last: Step): Probe {
  const steps: Step[] = [];
  for (let step: Step | null = last; step; step = step.before) steps.unshift(step);
  const names = steps.map(({ field }) => field.name);
  const rules = steps.flatMap(({ field }, i) =>
    rulesOf(field).map((rule) => ({ path: names.slice(0, i + 1), rule })),
  );
  let text = isLeafType(getNamedType(last.field.type)) ? '' : '{ __typename }';
  for (const { typeName, field, before } of steps.toReversed()) {
    const selection = `${field.name}${argumentsOf(field)} ${text}`;
    text = before ? `{ ... on ${typeName} { ${selection} } }` : `{ ${selection} }`;
  }
  const isMutation = steps[0]?.typeName === 'Mutation';
  const query = isMutation ? `mutation ${text}` : text;
  return { coordinate: `${last.typeName}.${last.field.name}`, query, rules, isMutation };
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

function rulesOf(field: Field): Rule[] {
  return (field.astNode?.directives ?? []).flatMap(
    ({ name, arguments: given }: ConstDirectiveNode): Rule[] => {
      const kind = name.value;
      if (kind === 'authenticated') return [{ kind, anyOf: [] }];
      if (kind !== 'requiresScopes' && kind !== 'policy') return [];
      const [argument] = given ?? [];
      return argument ? [{ kind, anyOf: valueFromASTUntyped(argument.value) as string[][] }] : [];
    },
  );
}
