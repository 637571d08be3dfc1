import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.js';

/** Headers that a page of another origin cannot send before its browser has asked here whether it may. */
const PREFLIGHTED = ['authorization', 'x-api-key', 'apollo-require-preflight', 'x-apollo-operation-name'];

/** Content types of HTML forms, which go across origins without a question. */
const SIMPLE_TYPES = /^(?:text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)\b/i;

/**
 * Refuses what any page of any origin could make a browser send: requests without a header or a content type that forces a preflight.
 *
 * @throws Refusal CSRF_REFUSED
 */
export function refuseForgeable(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (type !== undefined && !SIMPLE_TYPES.test(type.trim())) return;
  if (PREFLIGHTED.some((name) => headers[name])) return;
  throw new Refusal(
    400,
    'CSRF_REFUSED',
    'any web page could have sent this request: send authorization, or the header apollo-require-preflight with any value',
  );
}
