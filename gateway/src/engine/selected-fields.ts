import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { JsonObject } from './json.js';

/** The nodes that select one response key, by key, in the order of the response. */
export type FieldGroups = ReadonlyMap<string, readonly FieldNode[]>;

type ComposedType = GraphQLObjectType | GraphQLInterfaceType;

/** What an operation selects of a type, once `@skip`, `@include` and type conditions are decided. */
export class SelectedFields {
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(
    private readonly from: {
      schema: GraphQLSchema;
      document: DocumentNode;
      operation: OperationDefinitionNode;
      /** those that decide conditions */
      variables: Readonly<JsonObject>;
      withheld: ReadonlyMap<FieldNode, GraphQLError>;
    },
  ) {
    this.fragments = fragmentsOf(from.document);
  }

  ofOperation(type: GraphQLObjectType): FieldGroups {
    return this.collect(type, [this.from.operation.selectionSet]);
  }

  of(type: ComposedType, nodes: readonly FieldNode[]): FieldGroups {
    return this.collect(
      type,
      nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
    );
  }

  withheldOf(nodes: readonly FieldNode[]): GraphQLError | null {
    if (this.from.withheld.size === 0) return null;
    for (const node of nodes) {
      const error = this.from.withheld.get(node);
      if (error) return error;
    }
    return null;
  }

  private collect(type: ComposedType, sets: readonly SelectionSetNode[]): FieldGroups {
    const groups = new Map<string, FieldNode[]>();
    const seen = new Set<string>();
    for (const set of sets) this.add(type, set, { groups, seen });
    return groups;
  }

  private add(
    type: ComposedType,
    set: SelectionSetNode,
    into: { groups: Map<string, FieldNode[]>; seen: Set<string> },
  ): void {
    for (const selection of set.selections) {
      if (!isIncluded(selection.directives, this.from.variables)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        const group = into.groups.get(key);
        if (group) group.push(selection);
        else into.groups.set(key, [selection]);
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? this.fragments.get(selection.name.value) : selection;
      if (!fragment || !this.applies(fragment.typeCondition?.name.value, type)) continue;
      if (fragment.kind === Kind.FRAGMENT_DEFINITION) {
        if (into.seen.has(fragment.name.value)) continue;
        into.seen.add(fragment.name.value);
      }
      this.add(type, fragment.selectionSet, into);
    }
  }

  private applies(condition: string | undefined, type: ComposedType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const named = this.from.schema.getType(condition);
    return isAbstractType(named) && this.from.schema.isSubType(named, type);
  }
}

export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}

/** Whether `@skip` and `@include` let a selection be; a variable that is not there counts as false. */
export function isIncluded(
  directives: readonly DirectiveNode[] | undefined,
  variables: Readonly<JsonObject>,
): boolean {
  for (const { name, arguments: given } of directives ?? []) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const value = given?.find((argument) => argument.name.value === 'if')?.value;
    const isTrue =
      value?.kind === Kind.VARIABLE
        ? variables[value.name.value] === true
        : value?.kind === Kind.BOOLEAN && value.value;
    if (isTrue === (name.value === 'skip')) return false;
  }
  return true;
}
