import type { AccessRule } from '@sextant/domain';
import { type ConstDirectiveNode, valueFromASTUntyped } from 'graphql';

/** Directives that say who may see a field; the gateway and the subgraphs enforce all of them. */
export const ACCESS_DIRECTIVES = ['authenticated', 'requiresScopes', 'policy'] as const;

/**
 * What the directives of one field or type demand; all rules must be met.
 *
 * @throws Error for a rule whose argument cannot be read, which nothing could enforce
 */
export function accessRulesOf(directives: readonly ConstDirectiveNode[] | undefined): AccessRule[] {
  return (directives ?? []).flatMap((directive): AccessRule[] => {
    const name = directive.name.value;
    if (name === 'authenticated') return [{ kind: 'authenticated' }];
    if (name === 'requiresScopes') return [{ kind: 'scopes', anyOf: alternativesOf(directive, 'scopes') }];
    if (name === 'policy') return [{ kind: 'policies', anyOf: alternativesOf(directive, 'policies') }];
    return [];
  });
}

function alternativesOf(directive: ConstDirectiveNode, name: string): readonly (readonly string[])[] {
  const argument = directive.arguments?.find((candidate) => candidate.name.value === name);
  const value: unknown = argument && valueFromASTUntyped(argument.value);
  const isReadable =
    Array.isArray(value) &&
    value.every((all) => Array.isArray(all) && all.every((text) => typeof text === 'string'));
  if (isReadable) return value as string[][];
  throw new Error(`@${directive.name.value} needs ${name}: [[…]]`);
}
