import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  getNamedType,
  type GraphQLField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { ROOT } from './graph-processes.js';

const schema = buildSchema(readFileSync(join(ROOT, 'docs/reference/schema.graphql'), 'utf8'));
const page = readFileSync(join(ROOT, 'docs/reference/graph.md'), 'utf8');
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
);
const objects = types.filter(isObjectType);
const fieldsOf = (type: GraphQLNamedType): GraphQLField<unknown, unknown>[] =>
  isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
const outputFields = types.flatMap((type) =>
  fieldsOf(type).map((field) => ({ coordinate: `${type.name}.${field.name}`, type, field })),
);
const members = types.flatMap(
  (type): { coordinate: string; deprecationReason?: string | null; description?: string | null }[] => [
    ...outputFields
      .filter((one) => one.type === type)
      .map(({ coordinate, field }) => ({ ...field, coordinate })),
    ...(isInputObjectType(type) ? Object.values(type.getFields()) : []).map((field) => ({
      ...field,
      coordinate: `${type.name}.${field.name}`,
    })),
    ...(isEnumType(type) ? type.getValues() : []).map((value) => ({
      ...value,
      coordinate: `${type.name}.${value.name}`,
    })),
  ],
);
const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});

/** Those that break a rule, by coordinate; the tests want none. */
const breaking = <T extends { coordinate: string }>(all: T[], isBroken: (one: T) => boolean) =>
  all.filter(isBroken).map(({ coordinate }) => coordinate);

describe('the schema', () => {
  it('explains every type, field, input and value', () => {
    expect(types.filter(({ description }) => !description).map(({ name }) => name)).toEqual([]);
    expect(breaking(members, ({ description }) => !description)).toEqual([]);
  });

  it('names types in PascalCase, fields and arguments in camelCase, values in CAPITALS', () => {
    expect(types.map(({ name }) => name).filter((name) => !/^[A-Z][A-Za-z0-9]*$/.test(name))).toEqual([]);
    const values = types.filter(isEnumType).flatMap((type) => type.getValues().map(({ name }) => name));
    expect(values.filter((name) => !/^[A-Z][A-Z0-9_]*$/.test(name))).toEqual([]);
    const names = outputFields.flatMap(({ field }) => [field.name, ...field.args.map(({ name }) => name)]);
    expect(names.filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]);
  });

  it('calls inputs Input or Filter, and nothing else', () => {
    const inputs = types.filter(isInputObjectType).map(({ name }) => name);
    expect(inputs.filter((name) => !/(Input|Filter)$/.test(name))).toEqual([]);
    expect(objects.map(({ name }) => name).filter((name) => /Input$/.test(name))).toEqual([]);
  });

  it('pages connections as Relay does, beside nodes, and says how many a page may have', () => {
    const connections = objects.filter(({ name }) => name.endsWith('Connection'));
    expect(connections.length).toBeGreaterThanOrEqual(6);
    const shapeOf = (name: string) => {
      const type = schema.getType(name);
      return Object.fromEntries(type ? fieldsOf(type).map((field) => [field.name, String(field.type)]) : []);
    };
    for (const { name } of connections) {
      const row = name.replace(/Connection$/, '');
      const pages = { nodes: `[${row}!]!`, edges: `[${row}Edge!]!`, pageInfo: 'PageInfo!' };
      expect(shapeOf(name), name).toMatchObject(pages);
      expect(shapeOf(`${row}Edge`), name).toEqual({ node: `${row}!`, cursor: 'String!' });
    }
    const paged = outputFields.filter(({ field }) => getNamedType(field.type).name.endsWith('Connection'));
    expect(
      breaking(
        paged,
        ({ field }) => !['first', 'after'].every((name) => field.args.some((a) => a.name === name)),
      ),
    ).toEqual([]);
    expect(
      breaking(
        paged,
        ({ field }) => field.args.find(({ name }) => name === 'first')?.defaultValue === undefined,
      ),
    ).toEqual([]);
    expect(breaking(paged, ({ field }) => !/`first` is 1 to \d+/.test(field.description ?? ''))).toEqual([]);
  });

  it('answers each mutation with a payload that says what went wrong, but for those that are on their way out', () => {
    const current = mutations.filter(({ deprecationReason }) => !deprecationReason);
    expect(current.length).toBeGreaterThanOrEqual(20);
    for (const mutation of current) {
      const type = getNamedType(mutation.type);
      expect(type.name, mutation.name).toMatch(/Payload$/);
      const names = fieldsOf(type).map(({ name }) => name);
      expect(names.includes('userErrors') || names.includes('rejected'), mutation.name).toBe(true);
    }
  });

  it('takes one input object, one list of rows or an id alone for each mutation', () => {
    const current = mutations.filter(({ deprecationReason }) => !deprecationReason);
    const odd = current.filter(({ args }) => {
      if (args.length === 0) return false;
      const [argument, ...more] = args;
      const type = argument && (isNonNullType(argument.type) ? argument.type.ofType : argument.type);
      return more.length > 0 || !(['input', 'id'].includes(argument?.name ?? '') || isListType(type));
    });
    expect(odd.map(({ name }) => name)).toEqual([]);
  });

  it('can repeat every mutation that makes something: by an idempotency key, an id, or because it says so', () => {
    const inputs = new Map(
      mutations
        .filter(({ deprecationReason }) => !deprecationReason)
        .map((mutation) => [mutation.name, mutation.args[0] && getNamedType(mutation.args[0].type)]),
    );
    const keyed = [...inputs].filter(
      ([, type]) => isInputObjectType(type) && 'idempotencyKey' in type.getFields(),
    );
    for (const name of [
      'startTraining',
      'startScoring',
      'startModelImport',
      'createCampaign',
      'setConsent',
      'recordOutcomes',
    ])
      expect(keyed.map(([key]) => key)).toContain(name);
  });

  it('writes money as Money and instants as DateTime', () => {
    const scalars = outputFields.filter(({ field }) => isScalarType(getNamedType(field.type)));
    expect(
      breaking(
        scalars,
        ({ field }) => /(At|Until)$/.test(field.name) && getNamedType(field.type).name !== 'DateTime',
      ),
    ).toEqual([]);
    expect(
      breaking(
        scalars,
        ({ field }) =>
          /^(price|cost|listPrice|budget|lowestPrice.*)$/.test(field.name) &&
          getNamedType(field.type).name !== 'String',
      ),
    ).toEqual([]);
    expect(
      breaking(
        scalars,
        ({ field }) => getNamedType(field.type).name === 'Float' && /(price|amount)/i.test(field.name),
      ),
    ).toEqual([]);
  });

  it('says of what is deprecated what to use and when it goes', () => {
    const old = members.filter(({ deprecationReason }) => deprecationReason);
    expect(old.length).toBeGreaterThan(0);
    expect(
      breaking(
        old,
        ({ deprecationReason }) =>
          !/^Use `\w+`.* Goes after \d{4}-\d{2}-\d{2}\.$/.test(deprecationReason ?? ''),
      ),
    ).toEqual([]);
  });

  it('has a nodeId on everything that node finds, and node finds everything that has one', () => {
    const nodes = objects.filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'));
    expect(nodes.map(({ name }) => name).sort()).toEqual(
      objects
        .filter((type) => 'nodeId' in type.getFields())
        .map(({ name }) => name)
        .sort(),
    );
    expect(nodes.length).toBeGreaterThanOrEqual(10);
  });

  it('is a page with every type and every scope', () => {
    const shown = types.filter(({ name }) => !['Query', 'Mutation', 'Subscription'].includes(name));
    expect(shown.filter(({ name }) => !page.includes(`\n### ${name}\n`)).map(({ name }) => name)).toEqual([]);
    expect(page).toMatch(/\| `customer` .*\| `customer:read` \|/);
  });
});
