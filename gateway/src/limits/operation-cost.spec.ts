import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  buildSchema,
  getOperationAST,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  print,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readManifest } from '../documents/manifest.js';
import { PreparedOperation } from '../pipeline/operation.js';
import { CostTable } from './cost-table.js';
import { limitSettings } from './limits.config.js';
import { OperationCost } from './operation-cost.js';

const SDL = `
  schema
    @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@listSize"])
    @link(url: "https://sextant.invalid/demand/v0.1", import: ["@demand"])
  { query: Query mutation: Mutation }
  directive @link(url: String, import: [String]) repeatable on SCHEMA
  directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!]) on FIELD_DEFINITION
  directive @demand(sizedBy: String, rows: Int) on FIELD_DEFINITION
  scalar Blob @cost(weight: 3)
  input Row { text: String @cost(weight: 2) blob: Blob inner: [Row!] }
  interface Node { id: ID! friends(first: Int = 10): [Node!]! @listSize(slicingArguments: ["first"]) }
  type Cheap implements Node { id: ID! friends(first: Int = 10): [Node!]! name: String }
  type Dear implements Node @cost(weight: 7) {
    id: ID!
    friends(first: Int = 10): [Node!]! @listSize(slicingArguments: ["first"])
    score: Int @cost(weight: 5) @demand(rows: 2)
  }
  type Page { nodes: [Cheap!]! edges: [Edge!]! total: Int! }
  type Edge { node: Cheap! cursor: String! }
  type Query {
    one: Cheap
    any: Node
    page(first: Int = 20, last: Int): Page @listSize(assumedSize: 100, slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"])
    rule: [Cheap!] @listSize(assumedSize: 40)
    unstated: [Cheap!]
    byIds(ids: [ID!]!): [Dear] @listSize(assumedSize: 500) @demand(sizedBy: "ids", rows: 1)
    grid: [[Cheap]] @listSize(assumedSize: 3)
    names: [String!]!
  }
  type Mutation { store(rows: [Row!]! @cost(weight: 1)): Int }
`;
const schema = buildSchema(SDL);
const table = new CostTable(SDL);

function costOf(text: string): OperationCost {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return new OperationCost(
    new PreparedOperation({ text, document, operation, schema, audience: 'company' }),
    table,
  );
}
const estimate = (text: string, variables = {}) => costOf(text).estimated(variables);

describe('the estimated cost', () => {
  it('counts objects, not their plain fields', () => {
    expect(estimate('{ one { id name } }').cost).toBe(1);
    expect(estimate('{ __typename names }').cost).toBe(0);
  });

  it('multiplies along lists by slicing arguments, variables and defaults', () => {
    expect(estimate('{ page(first: 5) { nodes { id } } }').cost).toBe(1 + 5);
    expect(estimate('{ page { nodes { id friends(first: 3) { id } } } }').cost).toBe(1 + 20 * (1 + 3 * 7));
    const text = 'query($n: Int = 7) { page(first: $n) { nodes { id } } }';
    expect(estimate(text, { n: 50 }).cost).toBe(51);
    expect(estimate(text, { n: null }).cost).toBe(101);
    expect(estimate('query($n: Int) { page(first: $n) { nodes { id } } }').cost).toBe(21);
    expect(estimate('{ page(first: 2, last: 9) { nodes { id } } }').cost).toBe(10);
  });

  it('hands the size of a connection to its lists only', () => {
    expect(estimate('{ page(first: 4) { total nodes { id } edges { cursor node { id } } } }').cost).toBe(
      1 + 4 + 4 * 2,
    );
  });

  it('grows with what variables ask for, however much that is, and never below nothing', () => {
    const text =
      'query($n: Int) { page(first: $n) { nodes { friends(first: $n) { friends(first: $n) { id } } } } }';
    const n = 2_147_483_647;
    expect(estimate(text, { n }).cost).toBeGreaterThan(n ** 3);
    expect(estimate(text, { n: -n }).cost).toBe(1);
  });

  it('takes assumed sizes, one entry for each value of a list argument, and 100 where nothing is stated', () => {
    expect(estimate('{ rule { id } }').cost).toBe(40);
    expect(estimate('{ unstated { id } }').cost).toBe(100);
    expect(estimate('{ grid { id } }').cost).toBe(300);
    expect(estimate('{ byIds(ids: ["a", "b"]) { id } }')).toEqual({ cost: 14, rows: 2 });
    expect(estimate('query($ids: [ID!]!) { byIds(ids: $ids) { score } }', { ids: ['a', 'b', 'c'] })).toEqual({
      cost: 3 * 12,
      rows: 3 * 3,
    });
  });

  it('takes the dearest type behind an interface', () => {
    expect(estimate('{ any { id } }').cost).toBe(7);
    expect(estimate('{ any { ... on Cheap { name } ... on Dear { score } } }')).toEqual({
      cost: 12,
      rows: 2,
    });
    expect(estimate('{ any { friends(first: 2) { ... on Dear { friends { id } } } } }').cost).toBe(
      7 + 2 * (7 + 10 * 7),
    );
  });

  it('counts what is asked for twice at one place once, and what @skip leaves out not at all', () => {
    expect(
      estimate('{ page { nodes { id } } ...F } fragment F on Query { page { total nodes { name } } }').cost,
    ).toBe(21);
    const text = 'query($all: Boolean!) { rule @include(if: $all) { id } one @skip(if: true) { id } }';
    expect(estimate(text, { all: false }).cost).toBe(0);
    expect(estimate(text, { all: true }).cost).toBe(40);
  });

  it('counts arguments by entry, input objects by what their fields cost', () => {
    const text = 'mutation($rows: [Row!]!) { store(rows: $rows) }';
    expect(estimate(text, { rows: [{}, {}] }).cost).toBe(10 + 2);
    const rows = [{ text: 'a', inner: [{ blob: 'b' }, { blob: 'c' }] }];
    expect(estimate(text, { rows }).cost).toBe(10 + 1 + 2 + 2 * 3);
    expect(estimate('mutation { store(rows: [{ text: "a" }]) }').cost).toBe(10 + 3);
  });

  it('says where most of it comes from', () => {
    const dearest = (text: string) => costOf(text).dearest({});
    expect(dearest('{ one { id } p: page { total nodes { friends { id } } edges { cursor } } }')).toEqual([
      'p',
      'nodes',
      'friends',
    ]);
    expect(dearest('{ a: rule { id } b: rule { id } c: rule { id } }')).toEqual([]);
  });

  it('is told in microseconds where fragments and interfaces multiply', () => {
    const deep = (level: number): string =>
      level === 0 ? 'id' : `friends { ${deep(level - 1)} ... on Dear { ${level % 2 ? 'score' : 'id'} } }`;
    const cost = costOf(`query($s: Boolean!) { any @skip(if: $s) { ${deep(12)} } }`);
    expect(cost.estimated({ s: false }).cost).toBeGreaterThan(10 ** 12);
    const before = process.cpuUsage();
    for (let i = 0; i < 1_000; i++) cost.estimated({ s: false });
    const { user } = process.cpuUsage(before);
    expect(user / 1_000).toBeLessThan(200);
  });
});

describe('the actual cost', () => {
  it('is what was answered, never more than the estimate', () => {
    const cost = costOf('{ page(first: 5) { nodes { id friends { id ... on Dear { score } } } } }');
    const dear = { id: 'd', score: 1 };
    const nodes = [
      { id: 'a', friends: [{ id: 'b' }, dear] },
      { id: 'c', friends: [] },
    ];
    const actual = cost.actual({ page: { nodes } }, {});
    // of an answer without __typename the dearest type counts that it can be of
    expect(actual).toEqual({ cost: 1 + 2 + 7 + 12, rows: 2 });
    expect(actual.cost).toBeLessThanOrEqual(cost.estimated({}).cost);
    expect(cost.actual({ page: null }, {})).toEqual({ cost: 0, rows: 0 });
  });

  it('has the arguments in it that were sent', () => {
    const cost = costOf('mutation { store(rows: [{ text: "a" }]) }');
    expect(cost.actual({ store: 1 }, {}).cost).toBe(13);
  });
});

describe('the composed graph', () => {
  const sdl = readFileSync(new URL('../../supergraph.graphql', import.meta.url), 'utf8');

  it('states how long each list of objects is that cost something', () => {
    const composed = buildSchema(sdl, { assumeValid: true });
    const costs = new CostTable(sdl);
    const sizedByParent = new Set<string>();
    const lists: string[] = [];
    for (const type of Object.values(composed.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) {
        const output = isNonNullType(field.type) ? field.type.ofType : field.type;
        const { size } = costs.demandOf(type.name, field.name);
        if (!isListType(output)) {
          const named = isObjectType(output) ? output.name : '';
          for (const sized of size?.sizedFields ?? []) sizedByParent.add(`${named}.${sized}`);
          continue;
        }
        const entry = isNonNullType(output.ofType) ? output.ofType.ofType : output.ofType;
        const isFree = isCompositeType(entry) && costs.weightOf(entry.name) === 0;
        if (isCompositeType(entry) && !isFree && !size) lists.push(`${type.name}.${field.name}`);
      }
    }
    expect(lists.filter((list) => !sizedByParent.has(list))).toEqual([]);
  });

  it('lets the operations that come with it pass the budget, for 50 of everything', () => {
    const manifest = readManifest(
      fileURLToPath(new URL('../../../clients/persisted-documents.json', import.meta.url)),
    );
    const composed = buildSchema(sdl, { assumeValid: true });
    const costs = new CostTable(sdl);
    const { SEXTANT_MAX_COST: limit } = z.object(limitSettings).parse({});
    expect(manifest.size).toBeGreaterThan(5);
    for (const text of manifest.texts()) {
      const document = parse(text);
      const operation = getOperationAST(document);
      if (!operation) throw new Error(`no operation in ${text}`);
      const variables = Object.fromEntries(
        (operation.variableDefinitions ?? []).map(({ variable, type }) => [
          variable.name.value,
          print(type).startsWith('[') ? Array.from({ length: 50 }, () => 'x') : 50,
        ]),
      );
      const prepared = new PreparedOperation({
        text,
        document,
        operation,
        schema: composed,
        audience: 'company',
      });
      const { cost } = new OperationCost(prepared, costs).estimated(variables);
      expect([text, cost <= limit]).toEqual([text, true]);
    }
  });

  it.each([
    ['all predictions and the segments of 50 customers', EVERYTHING],
    ['three reasons for each score beside them', EVERYTHING.replaceAll(SCORE, EXPLAINED)],
  ])('lets %s pass the budget', (_, text) => {
    const document = parse(text);
    const composed = buildSchema(sdl, { assumeValid: true });
    expect(validate(composed, document)).toEqual([]);
    const [operation] = document.definitions;
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
    const prepared = new PreparedOperation({
      ...{ text, document, operation, schema: composed, audience: 'company' },
    });
    const ids = Array.from({ length: 50 }, (_id, i) => `cus_${i}`);
    const { cost } = new OperationCost(prepared, new CostTable(sdl)).estimated({ ids });
    expect(cost).toBeLessThanOrEqual(z.object(limitSettings).parse({}).SEXTANT_MAX_COST);
  });
});

const SCORE = '{ probability band interval { low high } }';
const EXPLAINED = SCORE.replace(
  'band',
  'band explanation(top: 3) { sentence contributions { feature contribution } }',
);
const EVERYTHING = `query ($ids: [ID!]!) { customersByIds(ids: $ids) { id lifecycle
  leadScore ${SCORE} churnRisk ${SCORE} purchaseLikelihood ${SCORE}
  lifetimeValue { value { amount currency } interval { low high } probabilityAlive }
  nextBestAction(goal: "retain") { decisionId }
  recommendations(slot: "home") { items { product { id title } score } }
  segments { probability segment { id name kind } } } }`;
