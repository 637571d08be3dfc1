import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, print, stripIgnoredCharacters } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT } from './graph-processes.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sextant-codegen-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifest = z.object({
  format: z.literal('sextant-persisted-documents'),
  version: z.literal(1),
  documents: z.array(z.object({ id: z.string(), name: z.string(), type: z.string(), body: z.string() })),
});
const committed = manifest.parse(
  JSON.parse(readFileSync(join(ROOT, 'clients/persisted-documents.json'), 'utf8')),
);

function codegen(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools/codegen.mjs'), ...args], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

/** Types and manifest of one file of operations. */
function codegenOf(text: string, ...args: string[]) {
  writeFileSync(join(folder, 'page.graphql'), text);
  const [out, list] = [join(folder, 'graph.ts'), join(folder, 'manifest.json')];
  return { ...codegen('--operations', folder, '--out', out, '--manifest', list, ...args), out, list };
}

describe('npm run codegen', () => {
  it('would write nothing new', () => {
    expect(codegen('--check')).toMatchObject({ status: 0 });
  });

  it('names each document of the manifest by the SHA-256 of its text', () => {
    expect(committed.documents.length).toBeGreaterThanOrEqual(10);
    for (const { id, body } of committed.documents)
      expect(id).toBe(`sha256:${createHash('sha256').update(body).digest('hex')}`);
  });

  it('writes types and a manifest of another team’s folder, partners included', () => {
    const { status, out, list } = codegenOf('query Mine { products { nodes { id title } } }', '--partner');
    expect(status).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('export const MineDocument: TypedDocument<MineQuery');
    expect(manifest.parse(JSON.parse(readFileSync(list, 'utf8'))).documents).toMatchObject([
      { name: 'Mine' },
    ]);
  });

  it('refuses what the graph, or the partner contract, does not have, and operations without a name', () => {
    const cost = 'query Cost { products { nodes { cost { amount } } } }';
    expect(codegenOf(cost)).toMatchObject({ status: 0 });
    expect(codegenOf(cost, '--partner')).toMatchObject({
      status: 1,
      output: expect.stringContaining('cost'),
    });
    const typo = codegenOf('query Typo { product(id: 1) { titel } }');
    expect(typo).toMatchObject({ status: 1, output: expect.stringContaining('page.graphql:1:31') });
    expect(codegenOf('{ products { endCursor } }')).toMatchObject({
      status: 1,
      output: expect.stringContaining('give each operation a name'),
    });
  });
});

describe('the frontend guide', () => {
  it('shows the operations of clients/operations as they are', () => {
    const guide = readFileSync(join(ROOT, 'docs/guides/frontend.md'), 'utf8');
    const blocks = [...guide.matchAll(/^```graphql\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
    const shown = blocks.map((block) => stripIgnoredCharacters(print(parse(block))));
    const known = new Set(committed.documents.map(({ body }) => stripIgnoredCharacters(body)));
    expect(shown.length).toBeGreaterThanOrEqual(8);
    expect(shown.filter((text) => !known.has(text))).toEqual([]);
  });
});
