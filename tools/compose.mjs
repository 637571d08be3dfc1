// Composes subgraphs/*/schema/*.graphql into gateway/supergraph.graphql, the committed contract of the whole graph, and
// brings docs/reference/ up to date with it.
//
//   --check           writes nothing; a stale file is an error
//   --add FILE        composes the subgraph of somebody else with ours; may be repeated
//   --name NAME       of the subgraph of each --add; its file's name by default
//   --url URL         where the subgraph of each --add answers; without one the gateway needs SUBGRAPH_URLS
//   --out FILE        what to write, `-` for the standard output; with --add .data/supergraph.graphql by default
//
// Where our own three listen is not in the file: the gateway reads CUSTOMER_URL, CAMPAIGN_URL and PREDICTION_URL.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { partnerProblems } from './composition/partner-rules.mjs';
import { compose, ownSubgraphs, parseFile, ROOT } from './composition/subgraph-files.mjs';

const COMMITTED = join(ROOT, 'gateway/supergraph.graphql');
const options = readOptions();
const added = options.add.map((file, i) => readAdded(file, options.name[i], options.url[i]));
const own = tryTo(ownSubgraphs);
const broken = added.flatMap(({ typeDefs }) => partnerProblems(typeDefs, own));
if (broken.length > 0) fail(`What is added breaks rules of this graph:\n\n${broken.join('\n\n')}`);
const { supergraphSdl, problems } = tryTo(() => compose([...own, ...added]));
if (problems.length > 0) fail(`The subgraphs do not compose:\n\n${problems.join('\n\n')}`);

const origin =
  added.length > 0
    ? `npm run compose -- ${options.add.map((f) => `--add ${f}`).join(' ')}`
    : 'npm run compose';
const written = `# Written by ${origin}; edit subgraphs/*/schema/*.graphql instead.\n${supergraphSdl}`;
if (options.check) check();
else write();

function check() {
  if (read(options.out) !== written)
    fail(`${relative(ROOT, options.out)} is stale: run npm run compose and commit it.`);
  console.log(`${relative(ROOT, options.out)} is current.`);
}

function write() {
  if (options.out === '-') return void process.stdout.write(written);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, written);
  console.log(`Wrote ${relative(process.cwd(), options.out)}.`);
  if (options.out === COMMITTED && added.length === 0) run('reference.mjs');
}

/** What is written from the composed graph follows it at once. */
function run(tool) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, tool)], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

function readOptions() {
  const list = { type: 'string', multiple: true, default: [] };
  const flags = { check: { type: 'boolean', default: false }, out: { type: 'string' } };
  try {
    const { values } = parseArgs({ options: { ...flags, add: list, name: list, url: list } });
    const { add, name, url } = values;
    if ([name, url].some((given) => given.length > 0 && given.length !== add.length))
      fail('Give each --add its --name, and its --url, or none of them.', 2);
    const fallback = add.length > 0 ? join(ROOT, '.data/supergraph.graphql') : COMMITTED;
    const out = values.out === '-' ? '-' : values.out ? resolve(values.out) : fallback;
    return { ...values, out };
  } catch (error) {
    return fail(error.message, 2);
  }
}

/** One `--add`, with what is wrong about it said in the words of whoever typed it. */
function readAdded(file, name = basename(file, '.graphql'), url = `http://${name}.invalid/graphql`) {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    fail(`--name must be lower-case letters, digits and hyphens, got "${name}"`, 2);
  if (ownSubgraphs().some((service) => service.name === name))
    fail(`--name ${name} is one of our own subgraphs; choose another`, 2);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    fail(`--url must be an http or https URL, got "${url}"`, 2);
  return { name, url, typeDefs: tryTo(() => parseFile(file)) };
}

function tryTo(task) {
  try {
    return task();
  } catch (error) {
    return fail(String(error));
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function fail(message, exitCode = 1) {
  console.error(message);
  process.exit(exitCode);
}
