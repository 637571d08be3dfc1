import {
  type DocumentNode,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
  visit,
} from 'graphql';
import type { OperationRequest, PreparedOperation } from '../pipeline/operation.js';

/** A subscription without what differs between equal subscribers: who exactly asks, and from where on. */
export interface SharedRequest {
  key: string;
  request: OperationRequest;
  /** cursor to go on after; null: from now on */
  after: string | null;
}

const CURSOR_VARIABLE = Symbol('cursor variable');

/**
 * Two subscriptions may share one execution when their documents, variables, tenant, roles, scopes and withheld fields are the same.
 *
 * @param resumeAfter  of the transport, which counts more than the argument `after`
 */
export function sharedRequest(given: OperationRequest, resumeAfter: string | null): SharedRequest {
  const { prepared, context, withheld } = given;
  const name = prepared.memo(CURSOR_VARIABLE, cursorVariable);
  const asked = name === null ? null : given.variables[name];
  const variables = name === null ? given.variables : { ...given.variables, [name]: null };
  const { subject: _, clientId: __, ...rights } = context.identity;
  const key = JSON.stringify([
    ...[prepared.hash, prepared.name, prepared.audience, variables],
    ...[rights.tenantId, [...rights.roles].sort(), [...rights.scopes].sort(), [...withheld.keys()].sort()],
  ]);
  const after = resumeAfter ?? (typeof asked === 'string' ? asked : null);
  return { key, request: { ...given, variables }, after };
}

/** The variable that the argument `after` of the subscription is taken from, where it may be null and stands nowhere else. */
function cursorVariable({ operation, document, schema }: PreparedOperation): string | null {
  const [root] = operation.selectionSet.selections;
  if (root?.kind !== Kind.FIELD) return null;
  const value = root.arguments?.find((argument) => argument.name.value === 'after')?.value;
  if (value?.kind !== Kind.VARIABLE) return null;
  const name = value.name.value;
  const declared = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name);
  const type = declared && typeFromAST(schema, declared.type as never);
  return type && !isNonNullType(type) && usesOf(document, operation, name) === 1 ? name : null;
}

/** Fragments count, whichever operation of the document spreads them. */
function usesOf(document: DocumentNode, operation: OperationDefinitionNode, name: string): number {
  const definitions = document.definitions.filter(
    (node) => node === operation || node.kind === Kind.FRAGMENT_DEFINITION,
  );
  let uses = 0;
  visit({ kind: Kind.DOCUMENT, definitions } satisfies DocumentNode, {
    VariableDefinition: () => false,
    Variable(node) {
      if (node.name.value === name) uses += 1;
    },
  });
  return uses;
}
