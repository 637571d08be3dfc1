import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { composeTiny } from '../test-gateway.js';
import { readSupergraph } from './supergraph.js';

const link = (names: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${names}])`;
const OPEN = '@requiresScopes(scopes: [["x"]])';

describe('readSupergraph', () => {
  it('reads scopes, policies and @authenticated of fields, types and interfaces', () => {
    const sdl = composeTiny({
      a: `${link('"@policy", "@requiresScopes", "@authenticated", "@shareable"')}
          interface Node { id: ID! note: String }
          type Thing implements Node { id: ID! note: String @policy(policies: [["commercial_secrets"]]) }
          type Other implements Node { id: ID! note: String }
          type Vault @requiresScopes(scopes: [["vault"]]) { key: String }
          type Query { node: Node @authenticated thing: Thing ${OPEN} other: Other ${OPEN} vault: Vault ${OPEN} }`,
    });
    // Composition has come to refuse rules on interfaces; another composition may not.
    const { rules } = readSupergraph(
      sdl.replace(/(interface Node[^{]*\{\s+id: ID!)/, '$1 @requiresScopes(scopes: [["deep"]])'),
    );
    const scopes = (...anyOf: string[][]) => ({ kind: 'scopes', anyOf });
    const secret = { kind: 'policies', anyOf: [['commercial_secrets']] };
    expect(rules.get('Query.node')).toEqual([{ kind: 'authenticated' }]);
    expect(rules.get('Query.vault')).toEqual([scopes(['x']), scopes(['vault'])]);
    expect(rules.get('Vault.key')).toEqual([scopes(['vault'])]);
    expect(rules.get('Thing.note')).toEqual([secret]);
    expect(rules.get('Node.note')).toEqual([secret]);
    expect(rules.get('Other.note')).toBeUndefined();
    for (const type of ['Node', 'Thing', 'Other'])
      expect(rules.get(`${type}.id`)).toContainEqual(scopes(['deep']));
  });

  it('refuses a policy that nobody defined', () => {
    const sdl = composeTiny({
      a: `${link('"@policy"')} type Query { a: Int @policy(policies: [["nothing"]]) }`,
    });
    expect(() => readSupergraph(sdl)).toThrow(DomainError);
    expect(() => readSupergraph(sdl)).toThrow('Query.a names the policy nothing, which is not defined');
  });

  it('refuses a root field without a rule, unless nothing is protected on purpose', () => {
    const sdl = composeTiny({ a: 'type Query { a: Int }' });
    expect(() => readSupergraph(sdl)).toThrow(/Query\.a must state @requiresScopes/);
    expect(readSupergraph(sdl, { isOpen: true }).rules.size).toBe(0);
  });

  const plain = composeTiny({ a: `${link('"@requiresScopes"')} type Query { a: Int ${OPEN} }` });
  const linked = (more: string) => plain.replace('\n{', `\n  ${more}\n{`);
  it.each([
    ['a specification for SECURITY', linked('@link(url: "https://example.org/vault/v1.0", for: SECURITY)')],
    ['an unknown one for EXECUTION', linked('@link(url: "https://example.org/run/v1.0", for: EXECUTION)')],
    ['a later version of a known one', plain.replace('requiresScopes/v0.1', 'requiresScopes/v9.9')],
    [
      'a known one under another name',
      plain.replace('requiresScopes/v0.1"', 'requiresScopes/v0.1", as: "needs"'),
    ],
    [
      'a composed directive named like a protection',
      `${plain}\ndirective @hasRole(role: String) on FIELD_DEFINITION`,
    ],
  ])('refuses %s, which nothing enforces', (_what, sdl) => {
    expect(readSupergraph(plain).rules.size).toBe(1);
    expect(sdl).not.toBe(plain);
    expect(() => readSupergraph(sdl)).toThrow(/which this gateway does not enforce/);
  });

  it('refuses what is no GraphQL under a code', () => {
    expect(() => readSupergraph('type {')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
