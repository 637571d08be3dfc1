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

  it('judges by @policy beside the scopes, and by @authenticated', async () => {
    const schema = enforceScopes(
      buildSchema(`directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION
        directive @authenticated on FIELD_DEFINITION
        type Query { margin: Int @policy(policies: [["commercial_secrets"]]) open: Int @authenticated }`),
    );
    const ask = (roles: string[]) =>
      graphql({
        schema,
        source: '{ margin open }',
        rootValue: { margin: 7, open: 1 },
        contextValue: { identity: { subject: 's', tenantId: 't', roles, scopes: [] } },
      });
    expect((await ask(['operator'])).data).toEqual({ margin: 7, open: 1 });
    const shop = await ask(['web']);
    expect(shop.data).toEqual({ margin: null, open: 1 });
    expect(shop.errors?.[0]?.message).toBe('Query.margin needs the policy commercial_secrets');
  });

  it('holds an object to the rule that its interface states', async () => {
    const schema = enforceScopes(
      buildSchema(`${DIRECTIVE}
        interface Node { id: Int @requiresScopes(scopes: [["deep"]]) }
        type Query { thing: Thing @requiresScopes(scopes: [["a"]]) }
        type Thing implements Node { id: Int }`),
    );
    const contextValue = { identity: { subject: 's', tenantId: 't', roles: [], scopes: ['a'] } };
    const { data } = await graphql({
      schema,
      source: '{ thing { id } }',
      rootValue: { thing: { id: 1 } },
      contextValue,
    });
    expect(data).toEqual({ thing: { id: null } });
  });

  it('does not start with a policy that is not defined', () => {
    const sdl =
      'directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION\n type Query { x: Int @policy(policies: [["none"]]) }';
    expect(() => enforceScopes(buildSchema(sdl))).toThrow(
      'Query.x names the policy none, which is not defined',
    );
  });

  it('does not start with a root field that states no rule', () => {
    expect(() => enforceScopes(buildSchema(`${DIRECTIVE} type Query { secret: Int }`))).toThrow(
      'Query.secret must state its @requiresScopes',
    );
  });
});
