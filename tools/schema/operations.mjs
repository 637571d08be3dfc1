// Operations of clients: read from a folder of .graphql files or from a manifest of persisted documents.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { getOperationAST, Kind, parse, print, separateOperations, Source, validate } from 'graphql';

export const MANIFEST_FORMAT = { format: 'sextant-persisted-documents', version: 1 };

/**
 * All operations below a folder; fragments may stand in any file of it.
 *
 * @returns `{ name, type, body, id, document, file }` by name; `id` is `sha256:` and the hash of `body`
 * @throws  Error that names the file, for operations without a name or with a name given twice, and for what the schema does not have
 */
export function readOperations(folder, schema) {
  const files = globSync('**/*.graphql', { cwd: folder }).sort();
  if (files.length === 0) throw new Error(`${folder} holds no .graphql file`);
  const documents = files.map((file) => parse(new Source(readFileSync(join(folder, file), 'utf8'), file)));
  const whole = { kind: Kind.DOCUMENT, definitions: documents.flatMap(({ definitions }) => definitions) };
  for (const node of whole.definitions) {
    if (node.kind === Kind.OPERATION_DEFINITION && !node.name)
      throw new Error(`${node.loc.source.name}: give each operation a name`);
  }
  const problems = validate(schema, whole).map((error) => String(error));
  if (problems.length > 0)
    throw new Error(`${relative(process.cwd(), folder)} does not fit the graph:\n\n${problems.join('\n\n')}`);
  return Object.entries(separateOperations(whole))
    .map(([name, document]) => ({
      name,
      type: getOperationAST(document).operation,
      ...persisted(document),
      file: getOperationAST(document).loc.source.name,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function persisted(document) {
  const body = print(document);
  return { id: `sha256:${createHash('sha256').update(body).digest('hex')}`, body, document };
}

export function manifestOf(operations) {
  const documents = operations.map(({ id, name, type, body }) => ({ id, name, type, body }));
  return `${JSON.stringify({ ...MANIFEST_FORMAT, documents }, null, 2)}\n`;
}

/** @throws Error that names the file when it is no manifest of ours */
export function readManifest(path) {
  const { format, version, documents } = JSON.parse(readFileSync(path, 'utf8'));
  if (format !== MANIFEST_FORMAT.format || version !== MANIFEST_FORMAT.version || !Array.isArray(documents))
    throw new Error(
      `${path} is no manifest: it needs "format": "${MANIFEST_FORMAT.format}", "version": 1 and "documents"`,
    );
  return documents.map(({ id, name, type, body }) => ({ id, name, type, document: parse(body) }));
}
