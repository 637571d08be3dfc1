import type { OperationParams } from '../pipeline/operation.js';
import { repeatedMember } from './repeated-member.js';
import { Refusal } from './refusal.js';

/** Longest document; parsing costs far more a byte than variables do. */
export const MAX_QUERY_CHARACTERS = 100_000;

/** A GraphQL request as its body holds it, or several. */
export type ReadBody = { single: OperationParams } | { batch: OperationParams[] };

/**
 * @param text  the body of a POST request
 * @throws Refusal naming the member that is missing, repeated or of another type than the specification says
 */
export function paramsOfBody(text: string): ReadBody {
  const body = parseJson(text, 'the body');
  const repeated = repeatedMember(text);
  if (repeated !== null) throw invalid(`the body has ${repeated} twice: which one is meant?`);
  if (Array.isArray(body)) return { batch: body.map(paramsOf) };
  return { single: paramsOf(body) };
}

/**
 * @param query  the part of the URL after the question mark, without it
 * @throws Refusal as {@link paramsOfBody}
 */
export function paramsOfUrl(query: string): OperationParams {
  const search = new URLSearchParams(query);
  const members: Record<string, unknown> = {};
  for (const name of ['query', 'documentId', 'operationName', 'variables', 'extensions']) {
    const [value, ...more] = search.getAll(name);
    if (more.length > 0) throw invalid(`the URL has ${name} twice: which one is meant?`);
    if (value === undefined || (value === '' && name !== 'query')) continue;
    members[name] = name === 'variables' || name === 'extensions' ? parseJson(value, name) : value;
  }
  return paramsOf(members);
}

function paramsOf(body: unknown): OperationParams {
  if (!isObject(body)) throw invalid('a request must be a JSON object with a query');
  const { query, documentId, operationName, variables, extensions } = body;
  requireText('query', query);
  requireText('documentId', documentId);
  requireText('operationName', operationName);
  requireObject('variables', variables);
  requireObject('extensions', extensions);
  if (query === undefined || query === null) {
    if (typeof documentId !== 'string' && !isObject(extensions?.['persistedQuery']))
      throw invalid(
        'the request has no query: send the text of an operation as query, or the id of a persisted one as documentId',
      );
  } else if (query.length > MAX_QUERY_CHARACTERS) {
    const message = `a query may have ${MAX_QUERY_CHARACTERS} characters: move values into variables`;
    throw new Refusal(413, 'REQUEST_TOO_LARGE', message);
  }
  return { query, documentId, operationName, variables, extensions } as OperationParams;
}

function requireText(name: string, value: unknown): asserts value is string | null | undefined {
  if (value !== undefined && value !== null && typeof value !== 'string')
    throw invalid(`${name} must be a string, not ${kindOf(value)}`);
}

function requireObject(
  name: string,
  value: unknown,
): asserts value is Record<string, unknown> | null | undefined {
  if (value !== undefined && value !== null && !isObject(value))
    throw invalid(`${name} must be a JSON object, not ${kindOf(value)}`);
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${what} is no JSON`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'BAD_REQUEST', message);
}
