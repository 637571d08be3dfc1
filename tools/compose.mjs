// Composes subgraphs/*/schema/*.graphql into gateway/supergraph.graphql, the committed contract of the whole graph.
// With --check nothing is written, and a stale file is an error. Where each subgraph listens is not in the file: the
// gateway reads CUSTOMER_URL, CAMPAIGN_URL and PREDICTION_URL when it starts.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse, Source } from 'graphql';

const root = join(import.meta.dirname, '..');
const target = join(root, 'gateway/supergraph.graphql');

const { supergraphSdl, problems } = compose();
if (problems.length > 0) fail(`The subgraphs do not compose:\n\n${problems.join('\n\n')}`);
const written = `# Written by npm run compose; edit subgraphs/*/schema/*.graphql instead.\n${supergraphSdl}`;
if (process.argv.includes('--check')) {
  if (read(target) !== written)
    fail(`${relative(root, target)} is stale: run npm run compose and commit it.`);
  console.log(`${relative(root, target)} is current.`);
} else {
  writeFileSync(target, written);
  console.log(`Wrote ${relative(root, target)}.`);
}

function compose() {
  try {
    const services = readdirSync(join(root, 'subgraphs'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => ({ name, typeDefs: typeDefsOf(name) }))
      .filter(({ typeDefs }) => typeDefs !== null)
      .map(({ name, typeDefs }) => ({ name, typeDefs, url: `http://${name}.invalid/graphql` }));
    if (services.length === 0) return { problems: ['no subgraphs/*/schema/*.graphql was found'] };
    const result = composeServices(services);
    return { supergraphSdl: result.supergraphSdl, problems: (result.errors ?? []).map(describe) };
  } catch (error) {
    return { problems: [error.toString()] };
  }
}

/** All schema files of one subgraph as one document; null where it has none. */
function typeDefsOf(name) {
  const folder = join(root, 'subgraphs', name, 'schema');
  const files = listFiles(folder).filter((file) => file.endsWith('.graphql'));
  if (files.length === 0) return null;
  const documents = files
    .sort()
    .map((file) =>
      parse(new Source(readFileSync(join(folder, file), 'utf8'), `subgraphs/${name}/schema/${file}`)),
    );
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
  const places = (error.nodes ?? [])
    .filter((node) => node.loc)
    .map(({ loc }) => `    at ${loc.source.name}:${loc.startToken.line}:${loc.startToken.column}`);
  return [`${code}: ${error.message}`, ...new Set(places)].join('\n');
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
