import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './graph-processes.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sextant-schema-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RELEASED = readFileSync(join(ROOT, 'clients/released/schema.graphql'), 'utf8');
type Edit = readonly [what: string | RegExp, by: string];

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((schema, [what, by]) => {
    const next = schema.replace(what, by);
    if (next === schema) throw new Error(`nothing in the schema matches ${what}`);
    return next;
  }, text);
}

/** What `npm run schema:check` says of a graph that differs from the released one by some edits. */
function check(edits: readonly Edit[], announcements: readonly Edit[] = [], ...args: string[]) {
  const baseline = edited(RELEASED, announcements);
  const files = { schema: join(folder, 'next.graphql'), baseline: join(folder, 'released.graphql') };
  writeFileSync(files.baseline, baseline);
  writeFileSync(files.schema, edited(baseline, edits));
  const given = ['--schema', files.schema, '--baseline', files.baseline, ...args];
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'tools/schema-check.mjs'), ...given], {
    encoding: 'utf8',
  });
  return { status, stdout };
}

const TITLE: Edit = [/ {2}"""[^"]*"""\n {2}title: String\n/, ''];
const deprecated = (date: string): Edit => [
  '  title: String\n',
  `  title: String @deprecated(reason: "Use \`name\`. Goes after ${date}.")\n`,
];
const withoutDeprecated: Edit = [/ {2}"""[^"]*"""\n {2}title: String @deprecated.*\n/, ''];

describe('npm run schema:check', () => {
  it('passes on the graph as it is', () => {
    const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'tools/schema-check.mjs')], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('the partner contract: 0 breaking')]);
  });

  it('lets additions and deprecations pass', () => {
    const added: Edit = ['  title: String\n', '  title: String\n  subtitle: String\n'];
    expect(check([added])).toMatchObject({ status: 0 });
    expect(check([deprecated('2027-01-31')])).toMatchObject({ status: 0 });
  });

  it('refuses the removal of a field and names the operations that read it', () => {
    const { status, stdout } = check([TITLE]);
    expect(status).toBe(1);
    expect(stdout).toContain('Product.title');
    expect(stdout).toMatch(/breaks (\w+, )*Home, (\w+, )*Shelf, Similar, (\w+, )*Visitor/);
    expect(stdout).not.toMatch(/breaks .*Leads/);
  });

  it('refuses a nullable answer, a new argument that is needed, a narrower input and an enum value that is gone', () => {
    const rank: Edit = ['  rank: Int!\n', '  rank: Int\n'];
    expect(check([rank])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/rank[^]*breaks .*Home/),
    });
    const needed: Edit = ['viewed: [ID!]!', 'viewed: [ID!]!\n  locale: String!'];
    expect(check([needed])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/SessionInput.locale[^]*breaks Visitor/),
    });
    const value: Edit = [/\n {2}"""A simple rule; see[^"]*"""\n {2}HEURISTIC/, ''];
    expect(check([value])).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/HEURISTIC[^]*breaks .*Home/),
    });
    const argument: Edit = ['similar(budgetMs: Int, first: Int = 10)', 'similar(budgetMs: Int)'];
    expect(check([argument])).toMatchObject({ status: 1, stdout: expect.stringContaining('breaks Similar') });
  });

  it('lets go what a release announced, from the day on that it named', () => {
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const nextYear = `${new Date().getUTCFullYear() + 1}-12-31`;
    const gone = check([withoutDeprecated], [deprecated(yesterday)]);
    expect(gone).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/announced.*title[^]*breaks .*Home/),
    });
    expect(check([withoutDeprecated], [deprecated(nextYear)])).toMatchObject({ status: 1 });
  });

  it('reads the operations of other teams from their manifests', () => {
    const manifest = join(folder, 'shop.json');
    const body = 'query Audit { segmentDiscovery { startedAt } }';
    const documents = [{ id: 'sha256:00', name: 'Audit', type: 'query', body }];
    writeFileSync(manifest, JSON.stringify({ format: 'sextant-persisted-documents', version: 1, documents }));
    const discovery: Edit = [/\n {2}"""[^"]*"""\n {2}segmentDiscovery: SegmentDiscovery\n/, '\n'];
    expect(check([discovery], [], '--manifest', manifest)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('breaks Audit'),
    });
    writeFileSync(manifest, '{"documents":[]}');
    expect(check([], [], '--manifest', manifest).status).toBe(1);
  });
});
