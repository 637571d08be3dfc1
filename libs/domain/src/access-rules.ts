import type { Identity, Role } from './identity.js';

/** Predicates that `@policy` names; the gateway and the subgraphs judge by this one table. */
export const POLICIES = {
  /** What goods cost us and what a price earns: for the company's own staff, whatever scopes a token of another role carries. */
  commercial_secrets: ({ roles }: Identity) => holdsOneOf(roles, COMPANY_ROLES) && !roles.includes('partner'),
} as const satisfies Record<string, (identity: Identity) => boolean>;
export type Policy = keyof typeof POLICIES;

/** Roles of people inside the company, and `service` of our own processes. */
const COMPANY_ROLES: readonly (Role | 'service')[] = ['analyst', 'marketer', 'operator', 'service'];

/** What a field demands of a caller; `anyOf` is an OR of ANDs, as in `@requiresScopes(scopes: [["a", "b"], ["c"]])`. */
export type AccessRule =
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'scopes' | 'policies'; readonly anyOf: readonly (readonly string[])[] };

/** True when the identity meets the rule. An unknown policy is met by nobody. */
export function meets(rule: AccessRule, identity: Identity): boolean {
  if (rule.kind === 'authenticated') return true;
  const holds =
    rule.kind === 'scopes'
      ? (scope: string) => identity.scopes.includes(scope)
      : (policy: string) => isPolicy(policy) && POLICIES[policy](identity);
  return rule.anyOf.some((all) => all.every(holds));
}

/** What a field demands, for people; the same whichever of its rules turned somebody away. */
export function demandOf(coordinate: string, rules: readonly AccessRule[]): string {
  return `${coordinate} needs ${rules.map(wordsOf).join(' and ')}`;
}

function wordsOf(rule: AccessRule): string {
  if (rule.kind === 'authenticated') return 'a verified identity';
  const alternatives = rule.anyOf.map((all) => all.join(' and ')).join(' or ');
  return `the ${rule.kind === 'scopes' ? 'scope' : 'policy'} ${alternatives}`;
}

/** Policies that a rule names and nobody defined. */
export function unknownPolicies(rule: AccessRule): string[] {
  return rule.kind === 'policies' ? rule.anyOf.flat().filter((name) => !isPolicy(name)) : [];
}

function isPolicy(name: string): name is Policy {
  return Object.hasOwn(POLICIES, name);
}

function holdsOneOf(roles: readonly string[], wanted: readonly string[]): boolean {
  return roles.some((role) => wanted.includes(role));
}
