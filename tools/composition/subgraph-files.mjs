// The subgraphs of this repository as documents, and composition of documents into a supergraph.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse, Source } from 'graphql';

export const ROOT = join(import.meta.dirname, '../..');

/** `{ name, typeDefs, url }` of each of subgraphs/*; where they listen is a setting of the gateway and not in the file. */
export function ownSubgraphs() {
  return readdirSync(join(ROOT, 'subgraphs'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, typeDefs: typeDefsOf(name), url: `http://${name}.invalid/graphql` }))
    .filter(({ typeDefs }) => typeDefs !== null);
}

/** A schema file as a document that remembers where it came from. */
export function parseFile(path, shownAs = path) {
  return parse(new Source(readFileSync(path, 'utf8'), shownAs));
}

/** `{ supergraphSdl, problems }`; without problems there is a supergraph. */
export function compose(services) {
  if (services.length === 0) return { problems: ['no subgraphs/*/schema/*.graphql was found'] };
  const result = composeServices(services);
  return { supergraphSdl: result.supergraphSdl, problems: (result.errors ?? []).map(describe) };
}

/** All schema files of one subgraph as one document; null where it has none. */
function typeDefsOf(name) {
  const folder = join(ROOT, 'subgraphs', name, 'schema');
  const files = listFiles(folder).filter((file) => file.endsWith('.graphql'));
  if (files.length === 0) return null;
  const documents = files
    .sort()
    .map((file) => parseFile(join(folder, file), `subgraphs/${name}/schema/${file}`));
  return { kind: 'Document', definitions: documents.flatMap(({ definitions }) => definitions) };
}

function listFiles(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function describe(error) {
  const code = error.extensions?.code ?? 'UNKNOWN';
  const places = (error.nodes ?? []).filter((node) => node.loc).map((node) => `    at ${placeOf(node)}`);
  return [`${code}: ${error.message}`, ...new Set(places)].join('\n');
}

/** `file:line:column` of a node of a parsed file. */
export function placeOf({ loc }) {
  return `${loc.source.name}:${loc.startToken.line}:${loc.startToken.column}`;
}
