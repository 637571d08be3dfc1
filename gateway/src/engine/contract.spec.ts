import { readFileSync } from 'node:fs';
import { buildSchema, lexicographicSortSchema, parse, printSchema, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { apiSchemaOf } from './api-schema.js';
import { contractOf } from './contract.js';
import { PreparedOperations } from './prepared-operations.js';

const fileOf = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const T = '@tag(name: "partner")';
const schemaOf = (sdl: string) =>
  apiSchemaOf(
    contractOf(
      parse(`schema { query: Query mutation: Mutation } directive @tag(name: String!) repeatable on FIELD_DEFINITION
    ${sdl}`),
      'partner',
    ),
  );
const shown = (sdl: string) => printSchema(schemaOf(sdl)).replace(/\s+/g, ' ').trim();

describe('contractOf', () => {
  it('shows of our graph exactly the committed partner contract', () => {
    const contract = apiSchemaOf(contractOf(parse(fileOf('gateway/supergraph.graphql')), 'partner'));
    const committed = buildSchema(fileOf('docs/reference/partner.graphql'));
    expect(printSchema(lexicographicSortSchema(contract))).toBe(
      printSchema(lexicographicSortSchema(committed)),
    );
  });

  it('lets no error name what it does not hold', () => {
    const supergraph = parse(fileOf('gateway/supergraph.graphql'));
    const company = apiSchemaOf(supergraph);
    const partner = apiSchemaOf(contractOf(supergraph, 'partner'));
    const operations = new PreparedOperations({ schemas: { company, partner }, rules: [] });
    const open = partner.getQueryType()?.getFields() ?? {};
    const hidden = Object.keys(company.getQueryType()?.getFields() ?? {}).filter((name) => !(name in open));
    expect(hidden.length).toBeGreaterThan(10);
    for (const name of hidden) {
      const asked = `{ ${name}x { id } ... on ${name}Y { id } product(${name}: 1) { id } }`;
      const told = (audience: 'company' | 'partner') => JSON.stringify(operations.get(asked, null, audience));
      expect(told('company')).toContain(`\\"${name}\\"`);
      expect(told('partner')).not.toMatch(new RegExp(`Did you mean[^?]*"${name}`));
    }
  });

  it('opens no field by a tag on its type', () => {
    expect(shown(`type Query { a: A ${T} } type A ${T} { secret: String open: Int ${T} }`)).toBe(
      'type Query { a: A } type A { open: Int }',
    );
  });

  it('takes out arguments, values and inputs that are not tagged, and what cannot be asked for without them', () => {
    expect(
      shown(`type Query { a(x: Int ${T}, y: Int, e: E ${T}, i: I ${T}): Int ${T} b(x: Int!): Int ${T} }
        enum E { ONE ${T} TWO } input I { open: Int ${T} closed: Int }`),
    ).toBe('type Query { a(x: Int, e: E, i: I): Int } enum E { ONE } input I { open: Int }');
  });

  it('takes out fields of types that nothing is left of, one after the other', () => {
    expect(
      shown(
        `type Query { a: A ${T} z: Int ${T} } type A { b: B ${T} } type B { c: C ${T} } type C { d: Int }`,
      ),
    ).toBe('type Query { z: Int }');
  });

  it('keeps interfaces and unions as far as their parts are open', () => {
    expect(
      shown(`type Query { u: U ${T} n: N ${T} } union U = A | B interface N { id: ID ${T} } interface M { id: ID }
        type A implements N & M { id: ID ${T} } type B { id: ID }`),
    ).toBe('type Query { u: U n: N } union U = A interface N { id: ID } type A implements N { id: ID }');
  });

  it('refuses every question where nothing is tagged', () => {
    expect(validate(schemaOf('type Query { a: Int } type Mutation { b: Int }'), parse('{ a }'))).toHaveLength(
      1,
    );
  });

  it('refuses every mutation and subscription where none is tagged', () => {
    const sdl = `type Query { a: Int ${T} } type Mutation { b: Int }`;
    const schema = schemaOf(sdl);
    const operations = new PreparedOperations({
      schemas: { company: schema, partner: schema },
      rules: [],
      checkText: () => undefined,
    });
    for (const text of ['mutation { b }', 'subscription { c }'])
      expect(operations.get(text, null, 'partner')).toMatchObject([
        { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
      ]);
  });
});
