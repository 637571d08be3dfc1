import { buildSchema, graphql } from 'graphql';
import { describe, expect, it } from 'vitest';
import { enforceScopes } from './scope-enforcement.js';

const DIRECTIVE = 'directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT\n';

function answer(scopes: string[] | null, query: string) {
  const schema = enforceScopes(
    buildSchema(`${DIRECTIVE}
      type Query { open: Person! @requiresScopes(scopes: [["a"]]) either: Int @requiresScopes(scopes: [["a", "b"], ["c"]]) }
      type Person { name: String email: String @requiresScopes(scopes: [["pii"]]) vault: Vault }
      type Vault @requiresScopes(scopes: [["vault"]]) { key: String }`),
  );
  const rootValue = { open: { name: 'Ada', email: 'ada@example.org', vault: { key: 'k' } }, either: 1 };
  const contextValue = scopes ? { identity: { subject: 's', tenantId: 't', roles: [], scopes } } : {};
  return graphql({ schema, source: query, rootValue, contextValue });
}

describe('enforceScopes', () => {
  it('gives the field to who holds the scope, and nulls it for who does not, with the rest intact', async () => {
    expect(await answer(['a', 'pii'], '{ open { email } }')).toEqual({
      data: { open: { email: 'ada@example.org' } },
    });
    const { data, errors } = await answer(['a'], '{ open { name email } }');
    expect(data).toEqual({ open: { name: 'Ada', email: null } });
    expect(errors?.[0]?.message).toBe('Person.email needs the scope pii');
  });

  it('covers every field of a type', async () => {
    const { data, errors } = await answer(['a'], '{ open { vault { key } } }');
    expect(data).toEqual({ open: { vault: { key: null } } });
    expect(errors).toHaveLength(1);
  });

  it.each([
    [['a', 'b'], 1],
    [['c'], 1],
    [['a'], null],
    [[], null],
  ])('reads the scopes as an OR of ANDs: %j gets %j', async (scopes, expected) => {
    expect((await answer(scopes, '{ either }')).data).toEqual({ either: expected });
  });

  it('gives nothing to a request without an identity', async () => {
    const { data, errors } = await answer(null, '{ open { name } }');
    expect(data).toBeNull();
    expect(errors?.[0]?.message).toMatch(/identity/);
  });

  it('does not start with a root field that states no rule', () => {
    expect(() => enforceScopes(buildSchema(`${DIRECTIVE} type Query { secret: Int }`))).toThrow(
      'Query.secret must state its @requiresScopes',
    );
  });
});
