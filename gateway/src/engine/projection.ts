import {
  type FieldNode,
  getNamedType,
  GraphQLError,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { isObject, type JsonObject } from './json.js';
import { leafReader, type LeafReader } from './leaf-values.js';
import type { FieldGroups, SelectedFields } from './selected-fields.js';

/** Errors that one projection adds; a broken subgraph would otherwise fill the answer with them. */
const MAX_ERRORS = 100;

/** Stands for a null where none may be: the nearest nullable place above becomes null. */
const BROKEN = Symbol('broken');

type Completed = unknown;
type Complete = (value: unknown, state: Projecting) => Completed;

interface ProjectedField {
  key: string;
  /** `Type.field` */
  coordinate: string;
  isNonNull: boolean;
  /** of a leaf; others have `complete` */
  read: LeafReader | null;
  complete: Complete | null;
  /** what is reported instead of fetching it */
  withheld: GraphQLError | null;
}

/** The data of a client made from the data of a plan: names, types and nulls as the operation and the schema say. */
export class Projection {
  /** root fields that something must be fetched for */
  readonly isFetched: boolean;
  private readonly root: readonly ProjectedField[];

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly selected: SelectedFields,
    rootType: GraphQLObjectType,
  ) {
    const groups = selected.ofOperation(rootType);
    this.root = this.fieldsOf(rootType, groups);
    this.isFetched = [...groups].some(
      ([key, [node]]) =>
        !node?.name.value.startsWith('__') && !this.root.find((field) => field.key === key)?.withheld,
    );
  }

  /**
   * @param data           what the plan gathered; not changed
   * @param introspection  values of `__schema` and `__type` by their keys
   * @param errors         what went wrong so far; what this finds is added
   */
  project(data: JsonObject, introspection: JsonObject | null, errors: GraphQLError[]): JsonObject | null {
    const state = new Projecting(errors);
    const result = projectFields(this.root, data, state);
    if (result === BROKEN) return null;
    const projected = result as JsonObject;
    for (const key in introspection) projected[key] = introspection[key];
    return projected;
  }

  private fieldsOf(
    type: GraphQLObjectType | GraphQLInterfaceType,
    groups: FieldGroups,
  ): readonly ProjectedField[] {
    const definitions = type.getFields();
    return [...groups].map(([key, nodes]) => {
      const name = nodes[0]?.name.value ?? '';
      const withheld = this.selected.withheldOf(nodes);
      const definition = definitions[name];
      if (!definition) return metaField(key, name, type.name);
      return { ...this.field(type, definition, nodes), key, withheld };
    });
  }

  private field(
    parent: GraphQLObjectType | GraphQLInterfaceType,
    definition: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
  ): Omit<ProjectedField, 'key' | 'withheld'> {
    const coordinate = `${parent.name}.${definition.name}`;
    const isNonNull = isNonNullType(definition.type);
    const nullable = isNonNullType(definition.type) ? definition.type.ofType : definition.type;
    if (isLeafType(nullable))
      return { coordinate, isNonNull, read: leafReader(nullable, coordinate), complete: null };
    return {
      coordinate,
      isNonNull,
      read: null,
      complete: this.completer(definition.type, nodes, coordinate),
    };
  }

  private completer(type: GraphQLOutputType, nodes: readonly FieldNode[], coordinate: string): Complete {
    if (isNonNullType(type)) {
      const inner = this.nullableCompleter(type.ofType, nodes, coordinate);
      return (value, state) => {
        const completed = value === null || value === undefined ? null : inner(value, state);
        if (completed !== null) return completed;
        state.nullAt(coordinate);
        return BROKEN;
      };
    }
    const inner = this.nullableCompleter(type, nodes, coordinate);
    return (value, state) => {
      if (value === null || value === undefined) return null;
      const completed = inner(value, state);
      return completed === BROKEN ? null : completed;
    };
  }

  private nullableCompleter(
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
    coordinate: string,
  ): Complete {
    if (isListType(type)) return listCompleter(this.completer(type.ofType, nodes, coordinate), coordinate);
    return isLeafType(type) ? leafReader(type, coordinate) : this.objectCompleter(type, nodes, coordinate);
  }

  private objectCompleter(
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
    coordinate: string,
  ): Complete {
    const named = getNamedType(type);
    if (isObjectType(named)) {
      let fields: readonly ProjectedField[] | null = null;
      return (value, state) => {
        if (!isObject(value)) return state.garbageAt(coordinate);
        fields ??= this.fieldsOf(named, this.selected.of(named, nodes));
        return projectFields(fields, value, state);
      };
    }
    // only of types that clients may see: there is no end of the names that a subgraph may answer
    const byName = new Map<unknown, readonly ProjectedField[]>();
    return (value, state) => {
      if (!isObject(value)) return state.garbageAt(coordinate);
      const typename = value['__typename'];
      const known = byName.get(typename);
      if (known) return projectFields(known, value, state);
      const fields = this.fieldsOfPossible(named, nodes, typename);
      if (!fields) return null;
      byName.set(typename, fields);
      return projectFields(fields, value, state);
    };
  }

  /** Null for an object of a type that the client may not see. */
  private fieldsOfPossible(
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
    typename: unknown,
  ): readonly ProjectedField[] | null {
    const concrete = typeof typename === 'string' ? this.schema.getType(typename) : undefined;
    if (isObjectType(concrete) && isAbstractType(type) && this.schema.isSubType(type, concrete))
      return this.fieldsOf(concrete, this.selected.of(concrete, nodes));
    const isItself = typename === undefined || (isInterfaceType(type) && typename === type.name);
    return isItself && isInterfaceType(type) ? this.fieldsOf(type, this.selected.of(type, nodes)) : null;
  }
}

/** Where a projection is, and where it reports to. */
export class Projecting {
  readonly path: (string | number)[] = [];
  private readonly known: readonly GraphQLError[];
  private added = 0;

  constructor(private readonly errors: GraphQLError[]) {
    this.known = [...errors];
  }

  /** A null in a place that has none, which nobody reported. */
  nullAt(coordinate: string): void {
    if (this.known.some(({ path }) => path && isAlong(path, this.path))) return;
    const last = this.errors.at(-1)?.path;
    if (last?.length === this.path.length && isAlong(last, this.path)) return;
    this.report(`Cannot return null for non-nullable field ${coordinate}.`);
  }

  /** A value that is none of its type. @returns null, its replacement */
  garbageAt(coordinate: string): null {
    this.report(`A subgraph answered a value for ${coordinate} that is not of its type.`);
    return null;
  }

  withheld(error: GraphQLError): void {
    if (this.added >= MAX_ERRORS) return;
    this.added += 1;
    const { message, extensions, originalError } = error;
    this.errors.push(
      new GraphQLError(message, { path: [...this.path], extensions, originalError: originalError ?? null }),
    );
  }

  private report(message: string): void {
    if (this.added >= MAX_ERRORS) return;
    this.added += 1;
    this.errors.push(new GraphQLError(message, { path: [...this.path] }));
  }
}

function projectFields(fields: readonly ProjectedField[], data: JsonObject, state: Projecting): Completed {
  const result: JsonObject = {};
  for (const field of fields) {
    const { key, read, complete } = field;
    const raw = data[key];
    let value: Completed = null;
    if (field.withheld) value = withheldValue(field, state);
    else if (complete) {
      state.path.push(key);
      value = complete(raw, state);
      state.path.pop();
    } else if (read) value = readLeaf(field, raw, state);
    if (value === BROKEN) return BROKEN;
    result[key] = value;
  }
  return result;
}

function readLeaf(
  { key, coordinate, read, isNonNull }: ProjectedField,
  raw: unknown,
  state: Projecting,
): Completed {
  if (raw !== null && raw !== undefined && read) {
    const value = read(raw, state, key);
    if (value !== null || !isNonNull) return value;
  } else if (!isNonNull) return null;
  state.path.push(key);
  state.nullAt(coordinate);
  state.path.pop();
  return BROKEN;
}

function withheldValue({ key, isNonNull, withheld }: ProjectedField, state: Projecting): Completed {
  state.path.push(key);
  if (withheld) state.withheld(withheld);
  state.path.pop();
  return isNonNull ? BROKEN : null;
}

function listCompleter(item: Complete, coordinate: string): Complete {
  return (value, state) => {
    if (!Array.isArray(value)) return state.garbageAt(coordinate);
    const { path } = state;
    const items: unknown[] = new Array(value.length);
    for (let index = 0; index < value.length; index += 1) {
      path.push(index);
      const completed = item(value[index], state);
      path.pop();
      if (completed === BROKEN) return BROKEN;
      items[index] = completed;
    }
    return items;
  };
}

/** `__typename`, and the introspection fields of the root, which are filled in later. */
function metaField(key: string, name: string, typename: string): ProjectedField {
  const value = name === '__typename' ? typename : null;
  return { key, coordinate: name, isNonNull: false, read: null, complete: () => value, withheld: null };
}

/** Whether one path leads to the other. */
function isAlong(one: readonly unknown[], other: readonly unknown[]): boolean {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}
