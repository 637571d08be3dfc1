import { DomainError } from '@sextant/domain';

/** @throws DomainError INVALID_INPUT naming the flag, unless it is a whole number from `low` to `high` */
export function wholeNumber(flag: string, text: string, high: number, low = 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new DomainError(
    'INVALID_INPUT',
    `${flag} must be a whole number from ${low} to ${high}, got "${text}"`,
    {
      path: flag,
    },
  );
}

/** @throws DomainError INVALID_INPUT naming the flag, unless it is above 0 and at most 1 */
export function shareOf(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new DomainError(
    'INVALID_INPUT',
    `${flag} must be above 0 and at most 1, such as 0.05, got "${text}"`,
    {
      path: flag,
    },
  );
}
