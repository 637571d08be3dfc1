import { describe, expect, it } from 'vitest';
import { type AccessRule, demandOf, meets, unknownPolicies } from './access-rules.js';
import type { Identity } from './identity.js';

const somebody = (identity: Partial<Identity>): Identity => ({
  subject: 's',
  tenantId: 't',
  roles: [],
  scopes: [],
  ...identity,
});

describe('meets', () => {
  it('reads scopes as an OR of ANDs', () => {
    const rule: AccessRule = { kind: 'scopes', anyOf: [['a', 'b'], ['c']] };
    const verdicts = [['a', 'b'], ['c', 'x'], ['a'], []].map((scopes) => meets(rule, somebody({ scopes })));
    expect(verdicts).toEqual([true, true, false, false]);
  });

  it('gives commercial secrets to the company, never to a partner or a shop, whatever their scopes', () => {
    const rule: AccessRule = { kind: 'policies', anyOf: [['commercial_secrets']] };
    const verdict = (...roles: string[]) => meets(rule, somebody({ roles, scopes: ['campaign:read'] }));
    expect(['operator', 'marketer', 'analyst', 'service'].map((role) => verdict(role))).not.toContain(false);
    expect([verdict(), verdict('web'), verdict('partner'), verdict('operator', 'partner')]).not.toContain(
      true,
    );
  });

  it('lets nobody pass a policy that is not defined, also one named like a member of every object', () => {
    for (const name of ['nothing', 'constructor', 'toString']) {
      const rule: AccessRule = { kind: 'policies', anyOf: [[name]] };
      expect(meets(rule, somebody({ roles: ['operator'] }))).toBe(false);
      expect(unknownPolicies(rule)).toEqual([name]);
    }
  });

  it('says what is missing', () => {
    const rules: AccessRule[] = [
      { kind: 'scopes', anyOf: [['a', 'b'], ['c']] },
      { kind: 'policies', anyOf: [['commercial_secrets']] },
    ];
    expect(demandOf('Product.cost', rules)).toBe(
      'Product.cost needs the scope a and b or c and the policy commercial_secrets',
    );
  });
});
