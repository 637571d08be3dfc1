import type { FeatureVector } from '@sextant/features';

/** Features as a model may see them, and what it must not see. */
export interface Unprotected {
  features: FeatureVector;
  /** values of the protected traits by name, null where one is not known: to audit a model with, never a column of it */
  protectedTraits: FeatureVector;
}

/** Where a trait shows in a feature vector: told by a profile, or typed into a form. */
const PREFIXES = ['trait', 'form'] as const;

/**
 * Takes protected traits out of a feature vector, under each of their names.
 *
 * @param traits  as in `Customer.traits`, without a prefix
 */
export function withoutProtected(features: FeatureVector, traits: readonly string[]): Unprotected {
  if (traits.length === 0) return { features, protectedTraits: {} };
  const rest = { ...features };
  const protectedTraits: FeatureVector = {};
  for (const trait of traits) {
    const values = PREFIXES.map((prefix) => rest[`${prefix}.${trait}`] ?? null);
    protectedTraits[trait] = values.find((value) => value !== null) ?? null;
    for (const prefix of PREFIXES) delete rest[`${prefix}.${trait}`];
  }
  return { features: rest, protectedTraits };
}
