import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { JsonObject } from './json.js';
import { isIncluded } from './selected-fields.js';

const CONDITIONS = new Set(['skip', 'include']);

const NOTHING: SelectionSetNode = {
  kind: Kind.SELECTION_SET,
  selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }],
};

/** The nodes of a document that select withheld fields, found by `Type.field`. */
export function withheldNodes(
  schema: GraphQLSchema,
  document: DocumentNode,
  withheld: ReadonlyMap<string, GraphQLError>,
): ReadonlyMap<FieldNode, GraphQLError> {
  const nodes = new Map<FieldNode, GraphQLError>();
  if (withheld.size === 0) return nodes;
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field(node) {
        const error = withheld.get(`${types.getParentType()?.name}.${node.name.value}`);
        if (error) nodes.set(node, error);
      },
    }),
  );
  return nodes;
}

/**
 * The operation and its fragments without introspection, without withheld fields and with `@skip` and `@include` decided. The
 * planner knows nothing of the first two; of conditions it loses some, so that what is skipped would be fetched.
 */
export function plannedText(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  {
    withheld,
    variables,
  }: { withheld: ReadonlyMap<FieldNode, GraphQLError>; variables: Readonly<JsonObject> },
): string {
  const definitions = document.definitions.filter(
    (node) => node === operation || node.kind === Kind.FRAGMENT_DEFINITION,
  );
  const decide = (node: SelectionNode): null | undefined | SelectionNode => {
    if (!isIncluded(node.directives, variables)) return null;
    if (node.kind === Kind.FIELD && (isIntrospection(node) || withheld.has(node))) return null;
    const directives = node.directives?.filter(({ name }) => !CONDITIONS.has(name.value)) ?? [];
    return directives.length === (node.directives?.length ?? 0) ? undefined : { ...node, directives };
  };
  const pruned = visit({ kind: Kind.DOCUMENT, definitions } satisfies DocumentNode, {
    Field: decide,
    InlineFragment: decide,
    FragmentSpread: decide,
    SelectionSet: { leave: (node) => (node.selections.length === 0 ? NOTHING : undefined) },
  });
  return print(pruned as ASTNode);
}

/** `__schema` and `__type`, which stand at the root only. */
export function isIntrospection({ name }: FieldNode): boolean {
  return name.value === '__schema' || name.value === '__type';
}

/** Whether a document asks for the schema anywhere. */
export function asksForSchema(document: DocumentNode): boolean {
  let isAsked = false;
  visit(document, {
    Field(node) {
      if (isIntrospection(node)) isAsked = true;
    },
  });
  return isAsked;
}
