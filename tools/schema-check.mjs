// Compares the public schemas with those of the last release, and names the operations of clients that a change breaks. What a release
// announced by @deprecated may go from the date in its reason on; everything else that breaks clients is an error (exit 1).
//
//   --manifest FILE   operations of clients that must go on working; may be repeated; clients/persisted-documents.json by default
//   --schema FILE     in place of the composed graph, with --baseline FILE in place of clients/released/schema.graphql
//   --release         makes the schemas of now the released ones; refused while they break something
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSchema } from 'graphql';
import { ROOT } from './composition/subgraph-files.mjs';
import { breakingChanges } from './schema/breaking-changes.mjs';
import { readManifest } from './schema/operations.mjs';
import { partnerSchema, printSorted, publicSchema } from './schema/public-schema.mjs';

const text = { type: 'string' };
const { values: options } = parseArgs({
  options: {
    manifest: { ...text, multiple: true, default: [join(ROOT, 'clients/persisted-documents.json')] },
    schema: text,
    baseline: text,
    release: { type: 'boolean', default: false },
  },
});
const released = (name) => join(ROOT, 'clients/released', `${name}.graphql`);
const read = (path) => buildSchema(readFileSync(path, 'utf8'));
const contracts = options.schema
  ? [{ title: options.schema, next: read(options.schema), baseline: options.baseline ?? released('schema') }]
  : [
      { title: 'the graph', next: publicSchema(), baseline: released('schema') },
      { title: 'the partner contract', next: partnerSchema(), baseline: released('partner') },
    ];
const operations = options.manifest.flatMap(readManifest);
const today = new Date().toISOString().slice(0, 10);

let refused = 0;
for (const { title, next, baseline } of contracts) {
  const changes = await breakingChanges(read(baseline), next, operations, today);
  for (const change of changes) console.log(describe(change));
  const breaking = changes.filter(({ announced }) => !announced).length;
  refused += breaking;
  console.log(`${title}: ${breaking} breaking changes since the last release`);
}
if (refused > 0) {
  console.error('\nDeprecate first, or keep the old way beside the new: docs/guides/schema-evolution.md');
  process.exit(1);
}
if (options.release) for (const { next, baseline } of contracts) writeFileSync(baseline, printSorted(next));

function describe({ message, path, announced, operations: broken }) {
  const whom = broken.length > 0 ? `breaks ${broken.join(', ')}` : 'breaks no operation of the manifest';
  return `${announced ? 'announced' : 'BREAKING '}  ${path}: ${message}\n           ${whom}`;
}
