import { DomainError } from '@sextant/domain';
import { seededRandom } from '@sextant/learning';
import {
  type IndexedCustomer,
  splitLater,
  splitRandom,
  type SplitCustomer,
} from '@sextant/learning/recommend';

/** What is held out of each customer's interactions: the last share, as serving meets it, or a random one, as many publications do. */
export interface SplitRule {
  kind: 'last' | 'random';
  /** In (0, 1). */
  share: number;
}

export const LAST_FIFTH: SplitRule = { kind: 'last', share: 0.2 };

/** @param seed  of a random split; the last share needs none */
export function splitBy(
  customers: readonly IndexedCustomer[],
  { kind, share }: SplitRule,
  seed: number,
): SplitCustomer[] {
  return kind === 'last' ? splitLater(customers, share) : splitRandom(customers, share, seededRandom(seed));
}

/**
 * @param text  `last:0.2` or `random:0.25`
 * @throws DomainError INVALID_INPUT for anything else
 */
export function parseSplitRule(text: string): SplitRule {
  const [, kind, digits] = /^(last|random):(0?\.\d+)$/.exec(text) ?? [];
  const share = Number(digits);
  if ((kind === 'last' || kind === 'random') && share > 0 && share < 1) return { kind, share };
  throw new DomainError(
    'INVALID_INPUT',
    `--split must be last:SHARE or random:SHARE with a share between 0 and 1, e.g. last:0.2, got "${text}"`,
    { path: '--split' },
  );
}
