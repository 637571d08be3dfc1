import { DomainError } from '@sextant/domain';

const MAX_ID_CHARACTERS = 128;

/** @throws DomainError INVALID_INPUT unless the text has 1 to `max` characters */
export function checkText(value: string, path: string, max = MAX_ID_CHARACTERS): string {
  if (value.length >= 1 && value.length <= max) return value;
  throw new DomainError('INVALID_INPUT', `${path} must have 1 to ${max} characters, got ${value.length}`, {
    path,
  });
}

/** @throws DomainError INVALID_INPUT unless it is an integer within the inclusive bounds */
export function checkInteger(
  value: number,
  path: string,
  { min, max }: { min: number; max: number },
): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new DomainError(
    'INVALID_INPUT',
    `${path} must be an integer between ${min} and ${max}, got ${value}`,
    { path },
  );
}

/** @throws DomainError BATCH_TOO_LARGE, or INVALID_INPUT for an id that is empty or too long */
export function checkIds(ids: readonly string[], path: string, max: number): readonly string[] {
  if (ids.length > max) {
    throw new DomainError(
      'BATCH_TOO_LARGE',
      `${path} may hold ${max} ids, got ${ids.length}; send it in parts`,
      { path },
    );
  }
  for (const [i, id] of ids.entries()) checkText(id, `${path}.${i}`);
  return ids;
}
