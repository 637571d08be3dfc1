import { DomainError } from '@sextant/domain';

/** A failure of a part of the input, as payloads report it. */
export interface UserError {
  code: string;
  message: string;
  field: string | null;
}

export function asUserError(error: DomainError, at?: string): UserError {
  const field = [at, error.path].filter((part) => part !== undefined).join('.');
  return { code: error.code, message: error.message, field: field === '' ? null : field };
}

/**
 * Reads each row by itself: what can be read is kept, the rest is reported with its place.
 *
 * @param rows.list    name of the argument, the first part of each reported path
 * @param rows.max     more rows than this refuse the whole call
 * @param rows.idOf    the second row of an id is an error, since the order of the two is nobody's intention
 * @throws DomainError BATCH_TOO_LARGE
 */
export function readRows<Input, Row>(
  inputs: readonly Input[],
  rows: { list: string; max: number; idOf: (input: Input) => string; read: (input: Input) => Row },
): { rows: Row[]; userErrors: UserError[] } {
  if (inputs.length > rows.max) {
    throw new DomainError(
      'BATCH_TOO_LARGE',
      `at most ${rows.max} ${rows.list} a call, got ${inputs.length}: send several`,
      { path: rows.list },
    );
  }
  const seen = new Set<string>();
  const result: { rows: Row[]; userErrors: UserError[] } = { rows: [], userErrors: [] };
  inputs.forEach((input, i) => {
    try {
      if (seen.has(rows.idOf(input)))
        throw new DomainError('INVALID_INPUT', `the id ${rows.idOf(input)} stands twice in this call`, {
          path: 'id',
        });
      result.rows.push(rows.read(input));
      seen.add(rows.idOf(input));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      result.userErrors.push(asUserError(error, `${rows.list}.${i}`));
    }
  });
  return result;
}
