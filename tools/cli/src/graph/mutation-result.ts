import { DomainError, ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import { z } from 'zod';

/** What every payload is asked for. */
export const USER_ERRORS = 'userErrors { code message }';

const payload = z.looseObject({
  userErrors: z.array(z.object({ code: z.string(), message: z.string() })),
});

/**
 * What a mutation with `userErrors` has done.
 *
 * @param data   of the answer
 * @param field  of the payload
 * @throws DomainError with the code of the first of the userErrors; GATEWAY_REFUSED for a code we do not know, or for no payload
 */
export function mutationResult(data: Record<string, unknown>, mutation: string, field: string): unknown {
  const parsed = payload.safeParse(data[mutation]);
  if (!parsed.success) throw new DomainError('GATEWAY_REFUSED', `the gateway's answer has no ${mutation}`);
  const [fault] = parsed.data.userErrors;
  if (!fault) return parsed.data[field];
  const { code, message } = fault;
  if (Object.hasOwn(ERROR_KINDS, code)) throw new DomainError(code as ErrorCode, message);
  throw new DomainError('GATEWAY_REFUSED', `${code}: ${message}`);
}
