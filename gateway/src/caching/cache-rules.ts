import { DomainError } from '@sextant/domain';
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';

/** Longest time that an answer may be kept. */
const LONGEST_SECONDS = 86_400;
/** A person stands behind these; what is kept about one must carry what that person allowed. */
const PERSONAL_TYPES: ReadonlySet<string> = new Set(['Customer']);
const CONSENT_FIELD = 'consentVersion';
/** What implements it is decided anew each time, and logged. */
const DECISION = 'Decision';

/** For how long the value of a field may be used again. */
export interface CachePolicy {
  maxAgeMs: number;
  /** after that, how much longer while its subgraph fails */
  staleIfErrorMs: number;
}

/** What of an object type matters to caching. */
export interface CacheableType {
  isEntity: boolean;
  /** top level only */
  keyFields: ReadonlySet<string>;
  fields: ReadonlyMap<string, { type: string; policy: CachePolicy | null }>;
}

/** What the supergraph declares cacheable; nothing else is ever kept. */
export interface CacheRules {
  isEmpty: boolean;
  types: ReadonlyMap<string, CacheableType>;
  /** by field of Mutation: types of which nothing that was kept is used after it */
  invalidates: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads `@cacheable` and `@invalidates` of a supergraph.
 *
 * @throws DomainError CONFIG_INVALID for a declaration that would keep a decision, a mutation's answer, or what a person
 *         allowed at some other time
 */
export function readCacheRules(supergraph: DocumentNode): CacheRules {
  const objects = supergraph.definitions.filter((node) => node.kind === Kind.OBJECT_TYPE_DEFINITION);
  const types = new Map(objects.map((node) => [node.name.value, typeOf(node)]));
  const decisions = new Set(
    objects
      .filter(({ interfaces }) => interfaces?.some(({ name }) => name.value === DECISION))
      .map(({ name }) => name.value),
  ).add(DECISION);
  let isEmpty = true;
  for (const node of objects) {
    for (const field of node.fields ?? []) {
      const declared = types.get(node.name.value)?.fields.get(field.name.value);
      if (!declared?.policy) continue;
      isEmpty = false;
      check(node, field);
      if (reaches(declared.type, decisions, types))
        throw invalid(node, field, `it holds a ${DECISION}, and decisions are never kept`);
    }
  }
  return { isEmpty, types, invalidates: invalidationsOf(objects, types) };
}

function typeOf(node: ObjectTypeDefinitionNode): CacheableType {
  const keys = (node.directives ?? [])
    .filter(({ name }) => name.value === 'join__type')
    .flatMap((directive) => [argumentOf(directive, 'key')].filter((key) => typeof key === 'string'));
  const fields = (node.fields ?? []).map(
    (field) => [field.name.value, { type: namedTypeOf(field), policy: policyOf(node, field) }] as const,
  );
  return {
    isEntity: keys.length > 0,
    keyFields: new Set(
      keys.flatMap((key) => key.replaceAll(/\{[^{}]*\}/g, ' ').split(/\s+/)).filter(Boolean),
    ),
    fields: new Map(fields),
  };
}

function policyOf(type: ObjectTypeDefinitionNode, field: FieldDefinitionNode): CachePolicy | null {
  const directive = directiveOf(field, 'cacheable');
  if (!directive) return null;
  const maxAge = argumentOf(directive, 'maxAgeSeconds');
  const stale = argumentOf(directive, 'staleIfErrorSeconds') ?? 0;
  if (!isSeconds(maxAge, 1) || !isSeconds(stale, 0))
    throw invalid(type, field, `seconds are whole numbers of at most ${LONGEST_SECONDS}`);
  return { maxAgeMs: maxAge * 1_000, staleIfErrorMs: stale * 1_000 };
}

function check(type: ObjectTypeDefinitionNode, field: FieldDefinitionNode): void {
  const { value: typeName } = type.name;
  if (typeName === 'Mutation' || typeName === 'Subscription')
    throw invalid(type, field, 'only what queries read can be kept');
  if (!PERSONAL_TYPES.has(typeName)) return;
  const required = (field.directives ?? [])
    .filter((node) => node.name.value === 'join__field' && argumentOf(node, 'external') !== true)
    .map((directive) => String(argumentOf(directive, 'requires') ?? ''));
  const isKeyed =
    required.length > 0 && required.every((fields) => fields.split(/\s+/).includes(CONSENT_FIELD));
  if (isKeyed) return;
  throw invalid(
    type,
    field,
    `it is about a person: it needs @requires(fields: "${CONSENT_FIELD}"), so that a withdrawn consent is another key`,
  );
}

/** Whether a value of this type can hold, without another declaration, a value of one of those. */
function reaches(
  type: string,
  those: ReadonlySet<string>,
  types: ReadonlyMap<string, CacheableType>,
  seen = new Set<string>(),
): boolean {
  if (those.has(type)) return true;
  const found = types.get(type);
  if (!found || found.isEntity || seen.has(type)) return false;
  seen.add(type);
  return [...found.fields.values()].some((field) => reaches(field.type, those, types, seen));
}

function invalidationsOf(
  objects: readonly ObjectTypeDefinitionNode[],
  types: ReadonlyMap<string, CacheableType>,
): Map<string, readonly string[]> {
  const mutation = objects.find(({ name }) => name.value === 'Mutation');
  const found = new Map<string, readonly string[]>();
  for (const field of mutation?.fields ?? []) {
    const directive = directiveOf(field, 'invalidates');
    if (!directive || !mutation) continue;
    const names = argumentOf(directive, 'types') as string[];
    const unknown = names.filter((name) => !types.has(name));
    if (unknown.length > 0)
      throw invalid(mutation, field, `there is no type ${unknown.join(', ')}`, 'invalidates');
    found.set(field.name.value, names);
  }
  return found;
}

function isSeconds(value: unknown, least: number): value is number {
  const seconds = Number(value);
  return Number.isInteger(seconds) && seconds >= least && seconds <= LONGEST_SECONDS;
}

function namedTypeOf({ type }: FieldDefinitionNode): string {
  let named = type;
  while (named.kind !== Kind.NAMED_TYPE) named = named.type;
  return named.name.value;
}

function directiveOf(field: FieldDefinitionNode, name: string): ConstDirectiveNode | undefined {
  return field.directives?.find((directive) => directive.name.value === name);
}

/** Whole numbers come as numbers. */
function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value && valueFromASTUntyped(value);
}

function invalid(
  type: ObjectTypeDefinitionNode,
  field: FieldDefinitionNode,
  reason: string,
  directive = 'cacheable',
): DomainError {
  return new DomainError(
    'CONFIG_INVALID',
    `@${directive} on ${type.name.value}.${field.name.value}: ${reason}`,
  );
}
