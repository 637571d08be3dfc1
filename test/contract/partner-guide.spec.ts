import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { freePort } from '@sextant/local-services';
import { signRequest } from '@sextant/platform';
import { buildClientSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGraph, ROOT, startGraph } from './graph-processes.js';

const GUIDE = readFileSync(join(ROOT, 'docs/guides/partner.md'), 'utf8');
const blocksOf = (language: string) =>
  [...GUIDE.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , block = '']) => block);

/** `npm` as the guide calls it, without its set-up steps; `npm start` becomes a gateway of the test with the variables of that moment. */
const NPM = `#!${process.execPath}
const { spawnSync } = require('node:child_process');
const words = process.argv.slice(2).filter((word) => word !== '--silent' && word !== '--');
if (words[0] === 'start') {
  const { SUPERGRAPH_PATH, SUBGRAPH_SECRETS } = process.env;
  const body = JSON.stringify({ SUPERGRAPH_PATH, SUBGRAPH_SECRETS });
  fetch(process.env.TEST_START, { method: 'POST', body }).then(({ ok }) => process.exit(ok ? 0 : 1));
} else {
  const script = require(process.cwd() + '/package.json').scripts[words[1]].split(' ');
  process.exit(spawnSync(process.execPath, [...script.slice(1), ...words.slice(2)], { stdio: 'inherit' }).status);
}`;

let graph: RunningGraph;
let control: Server;
let bin: string;
beforeAll(async () => {
  graph = await startGraph();
  bin = mkdtempSync(join(tmpdir(), 'sextant-guide-'));
  mkdirSync(join(bin, 'bin'));
  writeFileSync(join(bin, 'bin/npm'), NPM);
  chmodSync(join(bin, 'bin/npm'), 0o755);
  control = createServer(async (request, response) => {
    const env = (await json(request)) as Record<string, string>;
    await graph.restartGateway(env).then(
      () => response.writeHead(200).end(),
      () => response.writeHead(500).end(),
    );
  });
  await once(control.listen(0, '127.0.0.1'), 'listening');
  const products = [1, 2, 3].map((n) => ({
    id: `P0000${n}`,
    title: `Article ${n}`,
    listPrice: { amount: '10.00', currency: 'EUR' },
  }));
  const query = 'mutation ($p: [ProductInput!]!) { upsertProducts(products: $p) { upserted } }';
  await ask(graph.url, await graph.tokenOf('operator'), query, { p: products });
}, 120_000);
afterAll(async () => {
  control.close();
  await graph.stop();
  rmSync(bin, { recursive: true, force: true });
});

async function ask(url: string, token: string, query: string, variables?: Record<string, unknown>) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
}

/** Runs all commands of the guide, one after the other in one shell. @returns what each block printed */
async function runGuide(): Promise<string[]> {
  const mark = '=== next block ===';
  const script = blocksOf('sh').join(`\necho; echo '${mark}'\n`);
  const env = {
    ...process.env,
    PATH: `${join(bin, 'bin')}${delimiter}${join(process.execPath, '..')}${delimiter}${process.env['PATH']}`,
    SEXTANT_URL: graph.url.replace('/graphql', ''),
    SEXTANT_DATA_DIR: graph.dataDir,
    STOCK_PORT: String(await freePort()),
    TEST_START: `http://127.0.0.1:${(control.address() as AddressInfo).port}/`,
  };
  const wrapped = `set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`;
  const shell = spawn('bash', ['-c', wrapped], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [printed, complaints, [status]] = await Promise.all([
    text(shell.stdout),
    text(shell.stderr),
    once(shell, 'exit'),
  ]);
  if (status !== 0) throw new Error(`the guide's commands ended with ${status}:\n${printed}\n${complaints}`);
  return printed.split(mark);
}

const answersIn = (printed: string[]) =>
  printed.filter((part) => part.includes('"data"')).map((part) => JSON.parse(part.trim()) as unknown);

/** The commands of the guide are for a POSIX shell with curl. */
const hasShell = ['bash', 'curl'].every((tool) => spawnSync(tool, ['--version']).status === 0);

describe('the guide for partners', () => {
  it.skipIf(!hasShell)(
    'leads from a token to an answer of the partner’s own subgraph in the graph',
    async () => {
      const [asked, answered, ...more] = answersIn(await runGuide());
      const listPrice = { amount: '10.00', currency: 'EUR' };
      const node = (n: number) => ({ id: `P0000${n}`, title: `Article ${n}` });
      expect(asked).toMatchObject({
        data: { products: { nodes: [1, 2, 3].map((n) => ({ ...node(n), listPrice })) } },
      });
      expect(answered).toMatchObject({
        data: {
          products: { nodes: [12, 0, 140].map((partnerStock, i) => ({ ...node(i + 1), partnerStock })) },
        },
      });
      expect(more).toEqual([]);
    },
    120_000,
  );

  it('prints the example as it is', () => {
    const file = (name: string) => readFileSync(join(ROOT, 'examples/partner-stock', name), 'utf8');
    expect(blocksOf('graphqls')).toEqual([file('schema.graphql')]);
    expect(blocksOf('js')).toEqual([file('verify-signature.js')]);
  });
});

describe('verifySignature of the example', async () => {
  const path = join(ROOT, 'examples/partner-stock/verify-signature.js');
  const { verifySignature } = (await import(/* @vite-ignore */ path)) as {
    verifySignature(request: object, own: { name: string; secret: string }, nowMs?: number): unknown;
  };
  const secret = 'a secret that the partner agreed on';
  const identity = { subject: 'withheld', tenantId: 'demo', roles: ['web'], scopes: ['catalogue:read'] };
  const request = { method: 'POST', path: '/graphql', body: '{"query":"{ __typename }"}' };
  const nowMs = Date.now();
  const own = { name: 'partner-stock', secret };
  const signed = (receiver = own.name) => ({
    ...request,
    headers: signRequest({ ...request, receiver }, identity, { secret, nowMs }),
  });

  it('takes what the gateway signs, once', () => {
    const one = signed();
    expect(verifySignature(one, own, nowMs + 29_000)).toEqual(identity);
    expect(verifySignature(one, own, nowMs + 29_001)).toBeNull();
    expect(verifySignature(signed(), own, nowMs)).toEqual(identity);
  });

  it('refuses everything else', () => {
    const { headers } = signed();
    expect(
      verifySignature(signed(), { ...own, secret: 'another secret of at least 32 characters' }, nowMs),
    ).toBeNull();
    expect(verifySignature(signed('partner-prices'), own, nowMs)).toBeNull();
    expect(verifySignature({ ...signed(), body: '{}' }, own, nowMs)).toBeNull();
    expect(verifySignature({ ...signed(), path: '/other' }, own, nowMs)).toBeNull();
    expect(verifySignature(signed(), own, nowMs + 30_001)).toBeNull();
    expect(verifySignature({ ...request, headers: {} }, own, nowMs)).toBeNull();
    const length = headers['x-sextant-signature']?.length ?? 0;
    const unusual = { ...headers, 'x-sextant-signature': 'é'.repeat(length) };
    expect(verifySignature({ ...request, headers: unusual }, own, nowMs)).toBeNull();
  });
});

describe('the partner endpoint', () => {
  it('shows by introspection what the partner contract holds and nothing else', async () => {
    const url = graph.url.replace('/graphql', '/partner/graphql');
    const { data } = await ask(url, await graph.tokenOf('partner'), getIntrospectionQuery());
    const shown = printSchema(lexicographicSortSchema(buildClientSchema(data as never)));
    const committed = readFileSync(join(ROOT, 'docs/reference/partner.graphql'), 'utf8');
    const withoutStock = shown.replace(/\n *"""[^"]*"""\n *partnerStock: Int\n/, '\n');
    expect(withoutStock.replace(/\s+/g, ' ')).toContain(
      committed.split('\n').slice(2).join(' ').replace(/\s+/g, ' ').trim(),
    );
  });

  it('lets nobody reach what is not tagged, whatever the token opens', async () => {
    const url = graph.url.replace('/graphql', '/partner/graphql');
    for (const role of ['partner', 'operator'] as const) {
      const token = await graph.tokenOf(role);
      for (const query of [
        '{ customers { nodes { id } } }',
        '{ products { nodes { cost { amount } } } }',
        '{ products { nodes { ... on Product { stock } } } }',
        '{ __type(name: "Customer") { name } _entities(representations: []) { __typename } }',
        'mutation { refreshSegments { userErrors { code } } }',
        'subscription { jobProgress { id } }',
      ])
        expect((await ask(url, token, query)).errors?.[0]?.extensions.code, query).toBe(
          'GRAPHQL_VALIDATION_FAILED',
        );
    }
    const hidden = await ask(url, await graph.tokenOf('operator'), '{ __type(name: "Customer") { name } }');
    expect(hidden).toMatchObject({ data: { __type: null } });
  });
});
