// Writes docs/reference/errors.md from the one table of error codes, libs/domain/src/errors.ts (built before).
// With --check nothing is written, and a stale page is an error.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_KINDS } from '../libs/domain/dist/index.js';

const page = join(import.meta.dirname, '../docs/reference/errors.md');

/** What a kind asks of the caller. */
const ADVICE = {
  'invalid-input':
    'Put the input right; the message and `argument` say where. A retry of the same is refused again.',
  unauthenticated: 'Get a valid token. The HTTP status is 401.',
  forbidden:
    'The field at `path` is null, the rest is answered: leave it out, or get a token with its scopes. A mutation is not run at all, with HTTP status 403.',
  'not-found': 'The tenant of the token has nothing under this id.',
  conflict: 'The state does not allow it: read it again, then decide.',
  'failed-precondition':
    'The process is not set up for it: the message says what to change; the same call again fails again.',
  'resource-exhausted': 'Wait and retry with growing pauses.',
  'deadline-exceeded': 'Retry; writes are safe to repeat with their ids and idempotency keys.',
  unavailable: 'Retry in a moment; what does not depend on it is served meanwhile.',
  internal: 'A fault on our side; it was logged.',
};

/** Codes of the GraphQL layer itself. */
const PROTOCOL = {
  GRAPHQL_PARSE_FAILED: 'The document is not GraphQL.',
  GRAPHQL_VALIDATION_FAILED: 'The document does not fit the schema.',
  BAD_USER_INPUT: 'A variable does not fit its type.',
  BAD_REQUEST: 'The HTTP request is none that the graph takes: path, method, content type or body.',
  OPERATION_RESOLUTION_FAILURE: 'The document has several operations and `operationName` names none of them.',
  INTERNAL_SERVER_ERROR: 'Something unexpected; it was logged and is hidden here.',
};

const codes = Object.entries(ERROR_KINDS).sort(([a], [b]) => (a < b ? -1 : 1));
const rows = (entries) => entries.map(([code, text]) => `| \`${code}\` | ${text} |`).join('\n');
const text = `# Error codes

<!-- Written by npm run errors from libs/domain/src/errors.ts. -->

Clients may depend on codes (\`errors[].extensions.code\`, and \`code\` in \`userErrors\` and \`rejected\`), never on messages.

| code | kind |
|---|---|
${rows(codes)}

## What each kind asks of the caller

| kind | what to do |
|---|---|
${rows(Object.entries(ADVICE))}

## Codes of the GraphQL layer

| code | meaning |
|---|---|
${rows(Object.entries(PROTOCOL))}
`;

if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/reference/errors.md is stale: run npm run errors and commit it.');
  process.exit(1);
}
