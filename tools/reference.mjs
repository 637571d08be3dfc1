// Writes what docs/reference/ says about the graph, from the composed supergraph: schema.graphql (what clients see), partner.graphql (what
// partners see) and graph.md (both for people, with scopes, costs and deprecations). With --check nothing is written, and a stale file is an error.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './composition/subgraph-files.mjs';
import { committedSupergraph, partnerSchema, printSorted, publicSchema } from './schema/public-schema.mjs';
import { referencePage } from './schema/reference-page.mjs';

const schema = publicSchema();
const header = '# Written by npm run reference.\n\n';
const files = {
  'schema.graphql': header + printSorted(schema),
  'partner.graphql': header + printSorted(partnerSchema()),
  'graph.md': referencePage(committedSupergraph(), schema),
};
for (const [name, content] of Object.entries(files)) {
  const path = join(ROOT, 'docs/reference', name);
  if (!process.argv.includes('--check')) writeFileSync(path, content);
  else if (read(path) !== content)
    fail(`docs/reference/${name} is stale: run npm run reference and commit it.`);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
