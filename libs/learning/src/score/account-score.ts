/** What is known of a person of an account. */
export interface AccountMember {
  /** Calibrated probability, in [0, 1]. */
  probability: number;
  /** How much of the interest is shared with the others of the account, in [0, 1]: 0 = decides alone, 1 = echoes them; default 0. */
  echo?: number;
}

/**
 * Probability that at least one member of an account converts, from the members who are engaged: 1 − Π (1 − p), with an echoing
 * member's exponent (1 − echo), since colleagues who look because the first one looked are no further chance.
 * With echo 1 for all but the best member the account is worth its best member.
 *
 * Members are taken as independent given their echo; where a company decides as one, the true value is lower, and the ranking of
 * accounts holds better than the number.
 *
 * @returns  a value in [0, 1]; 0 for no members
 * @throws RangeError when a probability or an echo is outside [0, 1]
 *
 * Source: "noisy or", Pearl (1988), "Probabilistic reasoning in intelligent systems", chapter 4.3.2.
 */
export function accountScore(members: readonly AccountMember[]): number {
  let nobody = 0;
  for (const { probability, echo = 0 } of members) {
    if (!(probability >= 0 && probability <= 1))
      throw new RangeError(`probability must be in [0, 1], got ${probability}`);
    if (!(echo >= 0 && echo <= 1)) throw new RangeError(`echo must be in [0, 1], got ${echo}`);
    nobody += echo === 1 ? 0 : (1 - echo) * Math.log1p(-probability);
  }
  return Math.max(0, -Math.expm1(nobody));
}
