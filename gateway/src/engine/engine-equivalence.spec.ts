import {
  execute,
  getNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isObjectType,
  parse,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { PreparedOperation } from '../pipeline/operation.js';
import { anEngine, ask, FIELDS } from './test-graph.js';

/** Numbers in [0, 1) from a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const CONDITIONS = [
  '',
  '',
  '',
  ' @include(if: $yes)',
  ' @skip(if: $no)',
  ' @include(if: $no)',
  ' @skip(if: $yes)',
];

/** A selection of a type, of fields that any answer to, under keys that never collide. */
class QueryWriter {
  private keys = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly next: () => number,
  ) {}

  selection(type: GraphQLObjectType, depth: number): string {
    const fields = Object.values(type.getFields()).filter(
      (field) => field.name !== 'version' && (depth > 1 || !isCompositeType(getNamedType(field.type))),
    );
    const count = 1 + Math.floor(this.next() * 4);
    const chosen = Array.from({ length: count }, () => fields[Math.floor(this.next() * fields.length)]);
    const written = chosen.flatMap((field) => {
      if (!field) return [];
      const inner = getNamedType(field.type);
      const amount = field.args.some(({ name }) => name === 'first') ? `(first: ${this.upTo(4)})` : '';
      const wanted = field.args.some(({ name }) => name === 'id') ? `(id: ${this.upTo(10)})` : amount;
      const condition = CONDITIONS[Math.floor(this.next() * CONDITIONS.length)] ?? '';
      const below = isCompositeType(inner) ? ` ${this.below(inner.name, depth - 1)}` : '';
      this.keys += 1;
      const text = `k${this.keys}: ${field.name}${wanted}${condition}${below}`;
      return [this.next() < 0.15 ? `... on ${type.name}${condition} { ${text} }` : text];
    });
    return `{ __typename ${written.join(' ')} }`;
  }

  private below(name: string, depth: number): string {
    const type = this.schema.getType(name);
    if (isObjectType(type)) return this.selection(type, depth);
    if (!isAbstractType(type)) throw new Error(`${name} has no fields`);
    const possible = this.schema.getPossibleTypes(type);
    return `{ id ${possible.map((each) => `... on ${each.name} ${this.selection(each, depth)}`).join(' ')} }`;
  }

  private upTo(most: number): number {
    return 1 + Math.floor(this.next() * most);
  }
}

describe('the engine over two subgraphs', () => {
  const engine = anEngine();
  const known = engine.prepare('{ version }', null, 'company');
  if (!(known instanceof PreparedOperation)) throw new Error('the test graph is broken');
  const { schema } = known;
  const query = schema.getQueryType();

  it.each(Array.from({ length: 10 }, (_, index) => index + 1))(
    'answers random queries as one server with the whole graph does, seed %i',
    async (seed) => {
      const next = random(seed);
      for (let count = 0; count < 30; count += 1) {
        const selection = query ? new QueryWriter(schema, next).selection(query, 5) : '';
        const text = `query ($yes: Boolean!, $no: Boolean!) { version @include(if: $yes) @skip(if: $no) ... ${selection} }`;
        const variables = { yes: true, no: false };
        const alone = await execute({
          schema,
          document: parse(text),
          variableValues: variables,
          fieldResolver: (
            source: Record<string, unknown> | undefined,
            args: Record<string, unknown>,
            _,
            info,
          ) => {
            const resolver = FIELDS[`${info.parentType.name}.${info.fieldName}`];
            const value = resolver ? resolver(source ?? {}, args) : source?.[info.fieldName];
            return value === 'SECRET' ? null : value;
          },
          typeResolver: (source: { __typename?: string }) => source.__typename,
        });
        const { data, errors } = await ask(engine, text, { variables });
        expect({ text, data }).toEqual({ text, data: JSON.parse(JSON.stringify(alone.data)) });
        expect({ text, failed: errors !== undefined }).toEqual({ text, failed: alone.errors !== undefined });
      }
    },
  );
});
