import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLAbstractType,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** What a value of one place becomes. */
export type Shape = { isNullable: boolean } & (
  | { kind: 'leaf'; type: GraphQLLeafType }
  | { kind: 'list'; item: Shape }
  | { kind: 'object'; type: GraphQLObjectType; selection: SelectionPlan }
  | { kind: 'abstract'; type: GraphQLAbstractType; selectionOf(type: GraphQLObjectType): SelectionPlan }
);

/** One field of one object type, with all nodes of the operation that ask for it. */
export interface FieldPlan {
  /** its name in the answer */
  key: string;
  name: string;
  parent: GraphQLObjectType;
  def: GraphQLField<unknown, unknown>;
  nodes: readonly FieldNode[];
  shape: Shape;
}

/** What is asked of objects of one type. Made when the first of them is met: fragments of a plan may name types in circles. */
export interface SelectionPlan {
  readonly type: GraphQLObjectType;
  readonly fields: readonly FieldPlan[];
  /** an answer before anything is known: copies of it share a hidden class, whatever is filled in */
  readonly blank: Readonly<Record<string, unknown>>;
  /** fields of the answer that are the type's name */
  readonly typeNames: readonly string[];
}

export interface OperationPlan {
  operation: OperationDefinitionNode;
  fragments: Record<string, FragmentDefinitionNode>;
  root: SelectionPlan;
}

/** Names that would not be members like others of an object. */
const UNUSUAL_KEYS: ReadonlySet<string> = new Set(['__proto__']);

/**
 * A query as fields to be filled in, for as often as it is executed.
 *
 * @param document  valid under the schema
 * @returns null for what only graphql-js executes: mutations, subscriptions, several operations, directives, introspection
 */
export function planOf(schema: GraphQLSchema, document: DocumentNode): OperationPlan | null {
  const { definitions } = document;
  const operations = definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  const fragments = definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION);
  const [operation] = operations;
  const type = schema.getQueryType();
  if (!operation || operations.length > 1 || operation.operation !== 'query' || !type) return null;
  if (![operation, ...fragments].every(({ selectionSet }) => isPlain(selectionSet))) return null;
  const byName = Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]));
  const planner = new Planner(schema, byName);
  return { operation, fragments: byName, root: planner.selection(type, [operation.selectionSet]) };
}

function isPlain({ selections }: SelectionSetNode): boolean {
  return selections.every((selection) => {
    if (selection.directives && selection.directives.length > 0) return false;
    if (selection.kind === Kind.FRAGMENT_SPREAD) return true;
    if (selection.kind === Kind.FIELD) {
      const key = (selection.alias ?? selection.name).value;
      const isMeta = selection.name.value.startsWith('__') && selection.name.value !== '__typename';
      if (isMeta || UNUSUAL_KEYS.has(key)) return false;
    }
    return selection.selectionSet === undefined || isPlain(selection.selectionSet);
  });
}

class Planner {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  ) {}

  selection(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): SelectionPlan {
    let made: Omit<SelectionPlan, 'type'> | undefined;
    const contents = () => (made ??= this.contents(type, sets));
    return {
      type,
      get fields() {
        return contents().fields;
      },
      get blank() {
        return contents().blank;
      },
      get typeNames() {
        return contents().typeNames;
      },
    };
  }

  private contents(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): Omit<SelectionPlan, 'type'> {
    const nodes = new Map<string, FieldNode[]>();
    const seen = new Set<string>();
    for (const set of sets) this.collect(type, set, { nodes, seen });
    const keys = [...nodes.keys()];
    const typeNames = keys.filter((key) => nodes.get(key)?.[0]?.name.value === '__typename');
    const values = keys.map((key) => [key, typeNames.includes(key) ? type.name : null]);
    return {
      fields: [...nodes].flatMap(([key, own]) => this.field(type, key, own)),
      // an object that grows by computed names has no hidden class of its own, one that JSON makes has
      blank: JSON.parse(JSON.stringify(Object.fromEntries(values))) as Record<string, unknown>,
      typeNames,
    };
  }

  private collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    into: { nodes: Map<string, FieldNode[]>; seen: Set<string> },
  ): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        const known = into.nodes.get(key);
        if (known) known.push(selection);
        else into.nodes.set(key, [selection]);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD && into.seen.has(selection.name.value)) continue;
      if (selection.kind === Kind.FRAGMENT_SPREAD) into.seen.add(selection.name.value);
      const part = selection.kind === Kind.FRAGMENT_SPREAD ? this.fragments[selection.name.value] : selection;
      if (part && this.applies(type, part.typeCondition?.name.value))
        this.collect(type, part.selectionSet, into);
    }
  }

  private applies(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const named = this.schema.getType(condition);
    return isAbstractType(named) && this.schema.isSubType(named, type);
  }

  private field(parent: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): FieldPlan[] {
    const name = nodes[0]?.name.value ?? '';
    const def = parent.getFields()[name];
    return def ? [{ key, name, parent, def, nodes, shape: this.shape(def.type, nodes) }] : [];
  }

  private shape(given: GraphQLOutputType, nodes: readonly FieldNode[]): Shape {
    const isNullable = !isNonNullType(given);
    const type = isNonNullType(given) ? given.ofType : given;
    if (isListType(type)) return { kind: 'list', isNullable, item: this.shape(type.ofType, nodes) };
    if (isLeafType(type)) return { kind: 'leaf', isNullable, type };
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    if (isObjectType(type))
      return { kind: 'object', isNullable, type, selection: this.selection(type, sets) };
    const selections = new Map<GraphQLObjectType, SelectionPlan>();
    const selectionOf = (object: GraphQLObjectType): SelectionPlan => {
      const known = selections.get(object) ?? this.selection(object, sets);
      selections.set(object, known);
      return known;
    };
    return { kind: 'abstract', isNullable, type: getNamedType(type) as GraphQLAbstractType, selectionOf };
  }
}
