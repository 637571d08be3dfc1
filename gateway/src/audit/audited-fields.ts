import type { AuditedField } from '@sextant/audit';
import {
  type DirectiveNode,
  type FieldNode,
  getArgumentValues,
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  Kind,
  type SelectionNode,
} from 'graphql';
import type { OperationRequest, PreparedOperation } from '../pipeline/operation.js';

/** Arguments that name things of the product. Customers are people: their ids and refs are not kept. */
const SAFE_NAMES: ReadonlySet<string> = new Set([
  ...['id', 'ids', 'productId', 'productIds', 'campaignId', 'segmentId', 'seedSegmentId', 'experimentId'],
  ...['modelId', 'versionId', 'championId', 'decisionId', 'jobId', 'uploadId', 'keyId', 'task', 'to'],
]);
const SAFE_VALUE = /^(?!cus_)[A-Za-z0-9._:-]{1,64}$/;
const MAX_IDS = 20;

/** The root fields that a mutation runs under its variables, all of them and in order, without anything personal. */
export function auditedFields(
  { prepared, variables }: Pick<OperationRequest, 'prepared' | 'variables'>,
  digest: (given: Readonly<Record<string, unknown>>) => string,
): AuditedField[] {
  const root = prepared.schema.getMutationType()?.getFields() ?? {};
  return rootFields(prepared, prepared.operation.selectionSet.selections, variables).map((node) => {
    const definition = root[node.name.value];
    const given = definition ? getArgumentValues(definition, node, variables) : {};
    return { name: node.name.value, argumentsDigest: digest(given), ids: safeIds(given) };
  });
}

function rootFields(
  prepared: PreparedOperation,
  selections: readonly SelectionNode[],
  variables: Record<string, unknown>,
): FieldNode[] {
  return selections.flatMap((node): FieldNode[] => {
    if (!isIncluded(node, variables)) return [];
    if (node.kind === Kind.FIELD) return node.name.value.startsWith('__') ? [] : [node];
    if (node.kind === Kind.INLINE_FRAGMENT)
      return rootFields(prepared, node.selectionSet.selections, variables);
    const fragment = prepared.document.definitions.find(
      (definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === node.name.value,
    );
    return fragment?.kind === Kind.FRAGMENT_DEFINITION
      ? rootFields(prepared, fragment.selectionSet.selections, variables)
      : [];
  });
}

function isIncluded(
  node: { readonly directives?: readonly DirectiveNode[] },
  variables: Record<string, unknown>,
): boolean {
  return (
    getDirectiveValues(GraphQLSkipDirective, node, variables)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, variables)?.['if'] !== false
  );
}

/** Of the arguments themselves and of one input object among them. */
function safeIds(given: Readonly<Record<string, unknown>>): string[] {
  const members = Object.entries(given).flatMap(([name, value]) => [
    [name, value] as const,
    ...(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []),
  ]);
  return members
    .filter(([name]) => SAFE_NAMES.has(name))
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const))
    .filter(([, value]) => typeof value === 'string' && SAFE_VALUE.test(value))
    .slice(0, MAX_IDS)
    .map(([name, value]) => `${name}=${value}`);
}
