export const DAY_MS = 24 * 60 * 60 * 1000;

/** Half-lives in days of every decayed sum. */
export const HALF_LIVES_DAYS = [1, 7, 30, 90] as const;

/** A sum that forgets: after one half-life an addition counts half. */
export interface DecayedSum {
  /** everything ever added, undiminished */
  total: number;
  /** milliseconds since 1970 of the last addition, for which `decayed` holds */
  at: number;
  /** one value for each of HALF_LIVES_DAYS */
  decayed: number[];
}

/**
 * Adds to an exponentially decayed sum: s(t) = s(t₀) · 2^−(t − t₀)/h + amount, for each half-life h.
 *
 * @param sum     null for an empty one; not changed
 * @param at      milliseconds since 1970, not before `sum.at`
 * @param amount  any finite number
 */
export function addDecayed(sum: DecayedSum | null, at: number, amount: number): DecayedSum {
  if (!sum) return { total: amount, at, decayed: HALF_LIVES_DAYS.map(() => amount) };
  return { total: sum.total + amount, at, decayed: decayedAt(sum, at).map((value) => value + amount) };
}

/** The sum as of `asOf`, one value for each of HALF_LIVES_DAYS; an instant before the last addition counts as that one. */
export function decayedAt(sum: DecayedSum | null, asOf: number): number[] {
  return HALF_LIVES_DAYS.map((_, i) => decayedPart(sum, i, asOf));
}

/** One value of {@link decayedAt}: for the i-th of HALF_LIVES_DAYS. */
export function decayedPart(sum: DecayedSum | null, i: number, asOf: number): number {
  if (!sum) return 0;
  const ageDays = Math.max(0, asOf - sum.at) / DAY_MS;
  return (sum.decayed[i] ?? 0) * 2 ** (-ageDays / (HALF_LIVES_DAYS[i] ?? 1));
}
