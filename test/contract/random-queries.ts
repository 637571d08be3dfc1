import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
} from 'graphql';

/** A query and the variables that go with it. */
export interface RandomQuery {
  query: string;
  variables: Record<string, unknown>;
}

export interface RandomQueryOptions {
  schema: GraphQLSchema;
  seed: number;
  /** deepest nesting of fields */
  depth: number;
  /** values for arguments and input fields by their name; others get one of their type */
  values: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * Valid queries, the same ones for the same seed: fields, aliases, inline and named fragments, interfaces, `@include` and `@skip`,
 * arguments as literals and as variables.
 */
export class RandomQueries {
  private state: number;
  private names = 0;
  private variables: { name: string; type: string; value: unknown }[] = [];
  private fragments: string[] = [];

  constructor(private readonly options: RandomQueryOptions) {
    this.state = options.seed;
  }

  next(): RandomQuery {
    this.names = 0;
    this.variables = [];
    this.fragments = [];
    const { schema, depth } = this.options;
    const root = schema.getQueryType();
    if (!root) throw new Error('the schema has no queries');
    const selections = this.selectionsOf(root, depth);
    const declared = this.variables.map(({ name, type }) => `$${name}: ${type}`).join(', ');
    return {
      query: [`query${declared && `(${declared})`} ${selections}`, ...this.fragments].join('\n'),
      variables: Object.fromEntries(this.variables.map(({ name, value }) => [name, value])),
    };
  }

  private selectionsOf(type: GraphQLNamedType, depth: number): string {
    const chosen: string[] = [];
    if (this.chance(0.2)) chosen.push('__typename');
    if (isAbstractType(type)) {
      for (const possible of this.options.schema.getPossibleTypes(type))
        if (this.chance(0.4)) chosen.push(`... on ${possible.name} ${this.selectionsOf(possible, depth)}`);
    }
    if ('getFields' in type) {
      const fields = Object.values((type as GraphQLObjectType).getFields()).filter(
        (field) => depth > 1 || !isCompositeType(getNamedType(field.type)),
      );
      for (const field of this.some(fields)) chosen.push(this.fieldOf(field, depth));
    }
    if (chosen.length === 0) chosen.push('__typename');
    return this.wrapped(type, `{ ${chosen.join(' ')} }`);
  }

  /** Now and then the selections stand in a fragment. */
  private wrapped(type: GraphQLNamedType, selections: string): string {
    if (this.chance(0.1)) {
      const name = `F${this.names++}`;
      this.fragments.push(`fragment ${name} on ${type.name} ${selections}`);
      return `{ ...${name} }`;
    }
    return this.chance(0.05) ? `{ ... on ${type.name} ${selections} }` : selections;
  }

  private fieldOf(field: GraphQLField<unknown, unknown>, depth: number): string {
    const given = field.args.filter((argument) => isRequiredArgument(argument) || this.chance(0.4));
    const text = given.map((argument) => `${argument.name}: ${this.argument(argument)}`).join(', ');
    const named = getNamedType(field.type);
    const below = isCompositeType(named) ? ` ${this.selectionsOf(named, depth - 1)}` : '';
    // an alias of its own: no two fields ask for one place of the answer
    return `a${this.names++}: ${field.name}${text && `(${text})`}${this.condition()}${below}`;
  }

  private condition(): string {
    if (!this.chance(0.08)) return '';
    const name = this.chance(0.5) ? 'include' : 'skip';
    return ` @${name}(if: ${this.variable('Boolean!', this.chance(0.5))})`;
  }

  private argument({ name, type }: GraphQLArgument): string {
    const value = this.valueOf(name, type);
    if (this.chance(0.3)) return this.variable(String(type), value);
    return literal(value, type);
  }

  private variable(type: string, value: unknown): string {
    const name = `v${this.names++}`;
    this.variables.push({ name, type, value });
    return `$${name}`;
  }

  private valueOf(name: string, type: GraphQLInputType): unknown {
    if (isNonNullType(type)) return this.valueOf(name, type.ofType);
    if (isListType(type))
      return Array.from({ length: this.below(4) }, () => this.valueOf(name, type.ofType as GraphQLInputType));
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isNonNullType(field.type) || this.chance(0.3),
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.valueOf(field.name, field.type)]));
    }
    if (isEnumType(type)) return this.one(type.getValues()).name;
    const known = this.options.values[name];
    if (known) return this.one(known);
    return this.one(SCALARS[type.name] ?? ['x']);
  }

  private some<T>(all: readonly T[]): T[] {
    const share = Math.min(1, 4 / Math.max(1, all.length));
    return all.filter(() => this.chance(share));
  }

  private one<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private below(n: number): number {
    return Math.floor(this.random() * n);
  }

  /** Mulberry32, by Tommy Ettinger (public domain). */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

const SCALARS: Readonly<Record<string, readonly unknown[]>> = {
  Int: [0, 1, 2, 5, 10, 100, -1, 2_000_000_000],
  Float: [0, 0.5, 1, -3.25],
  Boolean: [true, false],
  String: ['', 'x', 'demo', '2026-01-01'],
  ID: ['x', '1', 'none'],
  DateTime: ['2026-01-31T12:00:00Z', '2020-01-01T00:00:00+02:00'],
  JSON: [{}, { a: 1 }, [1, 'two', null], 'text', 7],
};

/** As GraphQL writes it; enums have no quotes. */
function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (value === null) return 'null';
  if (isListType(type))
    return `[${(value as unknown[]).map((entry) => literal(entry, type.ofType as GraphQLInputType)).join(', ')}]`;
  if (isEnumType(type)) return String(value);
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    const members = Object.entries(value as object).flatMap(([name, member]) => {
      const field = fields[name];
      return field ? [`${name}: ${literal(member, field.type)}`] : [];
    });
    return `{${members.join(', ')}}`;
  }
  return untyped(value);
}

function untyped(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(untyped).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, member]) => `${name}: ${untyped(member)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}
