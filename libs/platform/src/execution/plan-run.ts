import {
  defaultTypeResolver,
  getArgumentValues,
  GraphQLError,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
  locatedError,
  responsePathAsArray,
} from 'graphql';
import type { FieldPlan, OperationPlan, SelectionPlan, Shape } from './operation-plan.js';

type Path = GraphQLResolveInfo['path'];
type Members = Record<string | number, unknown>;

/** An object or list of the answer, and the place that it is in. */
interface Frame {
  parent: Frame | null;
  container: Members;
  key: string | number;
  isNullable: boolean;
  /** an error has taken it, or what it is in, out of the answer */
  isGone: boolean;
}

/** Where a value goes. */
interface Place {
  container: Members;
  key: string | number;
  /** of the container */
  frame: Frame;
  path: Path | undefined;
  field: FieldPlan;
  shape: Shape;
}

export interface RunInput {
  schema: GraphQLSchema;
  plan: OperationPlan;
  contextValue: unknown;
  rootValue: unknown;
  variableValues: Record<string, unknown>;
}

/**
 * One execution of a planned query. Values are written to their places as they come, and the answer is whole when no promise is
 * open; an error in a place that cannot be null takes away the nearest thing around it that can. Values that need no resolver cost
 * neither arguments nor a path, and a promise costs one more, not four.
 */
export class PlanRun {
  private readonly errors: GraphQLError[] = [];
  private readonly answer: { data?: unknown } = {};
  private readonly argumentsOf = new Map<FieldPlan, Record<string, unknown>>();
  private open = 0;
  private whenDone: (() => void) | null = null;

  constructor(private readonly input: RunInput) {}

  run(): Result | Promise<Result> {
    const { plan, rootValue } = this.input;
    const root = { parent: null, container: this.answer, key: 'data', isNullable: true, isGone: false };
    this.fill(plan.root, rootValue, { frame: root, path: undefined });
    if (this.open === 0) return this.result();
    return new Promise((resolve) => (this.whenDone = () => resolve(this.result())));
  }

  private result(): Result {
    const data = this.answer.data as Record<string, unknown> | null;
    return this.errors.length === 0 ? { data } : { errors: this.errors, data };
  }

  /** Puts the object into its place and then its fields into the object. */
  private fill(
    { fields, blank }: SelectionPlan,
    source: unknown,
    { frame, path }: { frame: Frame; path: Path | undefined },
  ): void {
    const object: Members = { ...blank };
    frame.container[frame.key] = object;
    for (const field of fields) {
      const { key, def, shape } = field;
      const value = def.resolve ? undefined : memberOf(source, field.name);
      if (value !== undefined && shape.kind === 'leaf' && isPrimitive(value)) {
        if (value === null && shape.isNullable) continue;
        const written = serialised(shape.type, value);
        if (written !== undefined) {
          object[key] = written;
          continue;
        }
      }
      this.fillField(field, { source, value }, { container: object, frame, path });
      if (frame.isGone) return;
    }
  }

  private fillField(
    field: FieldPlan,
    given: { source: unknown; value: unknown },
    within: { container: Members; frame: Frame; path: Path | undefined },
  ): void {
    const { key, parent, shape } = field;
    const path: Path = { prev: within.path, key, typename: parent.name };
    const place: Place = { container: within.container, frame: within.frame, key, path, field, shape };
    try {
      this.put(this.valueOf(field, given, path), place);
    } catch (error) {
      this.fail(error, place);
    }
  }

  /** @param given.value  the member of the source where no resolver is asked, or the error of reading it */
  private valueOf(
    field: FieldPlan,
    { source, value }: { source: unknown; value: unknown },
    path: Path,
  ): unknown {
    const { def } = field;
    const { contextValue } = this.input;
    if (def.resolve) return def.resolve(source, this.argsOf(field), contextValue, this.infoOf(field, path));
    if (typeof value !== 'function') return value;
    return value.call(source, this.argsOf(field), contextValue, this.infoOf(field, path));
  }

  /** Coerced once for all objects that the field is asked of; each resolver gets an object of its own. */
  private argsOf(field: FieldPlan): Record<string, unknown> {
    const { def, nodes } = field;
    const [node] = nodes;
    if (def.args.length === 0 || !node) return {};
    const known = this.argumentsOf.get(field) ?? getArgumentValues(def, node, this.input.variableValues);
    this.argumentsOf.set(field, known);
    return { ...known };
  }

  private infoOf({ name, def, nodes, parent }: FieldPlan, path: Path): GraphQLResolveInfo {
    const { schema, plan, rootValue, variableValues } = this.input;
    const { operation, fragments } = plan;
    return {
      ...{ fieldName: name, fieldNodes: nodes, returnType: def.type, parentType: parent, path },
      ...{ schema, fragments, rootValue, operation, variableValues },
    };
  }

  /** @throws whatever is wrong with the value itself, and not with what is in it */
  private put(value: unknown, place: Place): void {
    const { shape, container, key } = place;
    if (isPromise(value)) return this.wait(value, place);
    if (value instanceof Error) throw value;
    if (value === null || value === undefined) {
      if (!shape.isNullable) throw missing(place.field);
      container[key] = null;
      return;
    }
    if (shape.kind === 'leaf') container[key] = leafOf(shape.type, value);
    else if (shape.kind === 'list') this.putList(value, place, shape.item);
    else if (shape.kind === 'object') this.fill(shape.selection, value, this.inside(place));
    else this.putAbstract(value, place, shape);
  }

  private putList(value: unknown, place: Place, shape: Shape): void {
    const { field, path } = place;
    if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
      const { name, parent } = field;
      throw new GraphQLError(`the field ${parent.name}.${name} is a list, and its value is none`);
    }
    const { frame } = this.inside(place);
    const list: unknown[] = [];
    place.container[place.key] = list;
    let i = 0;
    for (const each of value as Iterable<unknown>) {
      const key = i++;
      const written = shape.kind === 'leaf' && isPrimitive(each) ? serialised(shape.type, each) : undefined;
      list.push(written ?? null);
      if (written !== undefined) continue;
      const container = list as unknown as Members;
      const own: Place = {
        container,
        key,
        frame,
        path: { prev: path, key, typename: undefined },
        field,
        shape,
      };
      try {
        this.put(each, own);
      } catch (error) {
        this.fail(error, own);
      }
      if (frame.isGone) return;
    }
  }

  private putAbstract(value: unknown, place: Place, shape: Shape & { kind: 'abstract' }): void {
    const { type, selectionOf } = shape;
    const info = this.infoOf(place.field, place.path ?? { prev: undefined, key: '', typename: undefined });
    const resolve = type.resolveType ?? defaultTypeResolver;
    const found = resolve(value, this.input.contextValue, info, type);
    const fill = (name: string | undefined): void =>
      this.fill(selectionOf(runtimeType(this.input.schema, type, name)), value, this.inside(place));
    if (isPromise(found)) this.follow(found, place, (name) => fill(name as string | undefined));
    else fill(found);
  }

  private inside({ container, key, frame, shape, path }: Place): { frame: Frame; path: Path | undefined } {
    const { isNullable } = shape;
    return { frame: { parent: frame, container, key, isNullable, isGone: false }, path };
  }

  private wait(promise: PromiseLike<unknown>, place: Place): void {
    this.follow(promise, place, (value) => this.put(value, place));
  }

  private follow(promise: PromiseLike<unknown>, place: Place, go: (value: unknown) => void): void {
    this.open += 1;
    promise.then(
      (value) => {
        try {
          go(value);
        } catch (error) {
          this.fail(error, place);
        }
        this.closed();
      },
      (error: unknown) => {
        this.fail(error, place);
        this.closed();
      },
    );
  }

  private closed(): void {
    this.open -= 1;
    if (this.open === 0) this.whenDone?.();
  }

  private fail(raw: unknown, { container, key, frame, shape, path, field }: Place): void {
    const error = (): GraphQLError => locatedError(raw, field.nodes, path && responsePathAsArray(path));
    if (shape.isNullable) {
      container[key] = null;
      this.errors.push(error());
      return;
    }
    for (let around: Frame | null = frame; around && !around.isGone; around = around.parent) {
      around.isGone = true;
      if (!around.isNullable) continue;
      around.container[around.key] = null;
      this.errors.push(error());
      return;
    }
  }
}

/** As graphql-js gives it. */
export interface Result {
  errors?: readonly GraphQLError[];
  data: Record<string, unknown> | null;
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}

/** A member as it is; an error where reading it throws, which is what its field then says. */
function memberOf(source: unknown, name: string): unknown {
  try {
    return (source as Members | null | undefined)?.[name];
  } catch (error) {
    return error instanceof Error ? error : new GraphQLError(`unexpected: ${String(error)}`);
  }
}

/** Undefined where the value is none of the type; the slower way then says so. */
function serialised(type: GraphQLLeafType, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  try {
    return type.serialize(value) ?? undefined;
  } catch {
    return undefined;
  }
}

function leafOf(type: GraphQLLeafType, value: unknown): unknown {
  const written = type.serialize(value);
  if (written === null || written === undefined)
    throw new Error(`a value of ${type.name} was made into nothing, which is no value of it`);
  return written;
}

function missing({ name, parent }: FieldPlan): Error {
  return new Error(`Cannot return null for non-nullable field ${parent.name}.${name}.`);
}

function runtimeType(
  schema: GraphQLSchema,
  abstract: GraphQLAbstractType,
  name: string | undefined,
): GraphQLObjectType {
  const type = name === undefined ? undefined : schema.getType(name);
  if (isObjectType(type) && schema.isSubType(abstract, type)) return type;
  throw new GraphQLError(
    `a value of ${abstract.name} must say which of its types it is, got ${name ?? 'none'}`,
  );
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
