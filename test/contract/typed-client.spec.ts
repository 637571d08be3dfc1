import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask as askAnything } from '../support/graph.js';
import { type RunningGraph, ROOT, startGraph } from './graph-processes.js';

interface Graph {
  url: string;
  token: string;
  isPersisted?: boolean;
}
interface Answer {
  data: unknown;
  errors: { extensions?: { code?: string } }[];
}
interface TypedClient {
  ask(graph: Graph, document: object, variables: object): Promise<Answer>;
}

const built = async <Module>(file: string) =>
  (await import(/* @vite-ignore */ join(ROOT, 'clients/typescript/dist', file))) as Module;

let graph: RunningGraph;
let client: TypedClient;
let documents: Record<string, { id: string; text: string; name: string }>;
beforeAll(async () => {
  client = await built('ask.js');
  documents = await built('generated/graph.js');
  graph = await startGraph();
  const products = [{ id: 'P1', title: 'Spade', categories: ['garden'] }];
  const query = 'mutation ($p: [ProductInput!]!) { upsertProducts(products: $p) { upserted } }';
  await askAnything(graph.url, await graph.tokenOf('operator'), query, { p: products });
  await graph.restartGateway({
    SEXTANT_DOCUMENTS: 'safelist',
    SEXTANT_DOCUMENT_MANIFEST: join(ROOT, 'clients/persisted-documents.json'),
  });
}, 120_000);
afterAll(() => graph.stop());

describe('a typed client of a graph that holds its manifest', () => {
  it.each([true, false])('asks the operations of the manifest, persisted: %s', async (isPersisted) => {
    const web = { url: graph.url, token: await graph.tokenOf('web'), isPersisted };
    const { data, errors } = await client.ask(web, documents['ShelfDocument'] ?? {}, { category: 'garden' });
    expect(errors).toEqual([]);
    expect(data).toMatchObject({ products: { nodes: [{ id: 'P1', title: 'Spade' }], hasNextPage: false } });
  });

  it('cannot ask anything else', async () => {
    const web = { url: graph.url, token: await graph.tokenOf('web') };
    const other = { id: '', name: 'Other', text: 'query Other { products { endCursor } }' };
    const { errors } = await client.ask(web, other, {});
    expect(errors.map(({ extensions }) => extensions?.code)).toEqual(['DOCUMENT_NOT_SAFELISTED']);
  });
});

describe('the example pages', () => {
  it('show no cards, and do not fail, where nothing can be recommended', async () => {
    const { homePage, visitorPage } = await built<{
      homePage(graph: Graph, id: string): Promise<{ cards: object[] }>;
      visitorPage(graph: Graph, viewed: string[]): Promise<string[]>;
    }>('home-page.js');
    const web = { url: graph.url, token: await graph.tokenOf('web') };
    expect(await homePage(web, 'cus_000000000000000000000000')).toEqual({ decisionId: null, cards: [] });
    expect(await visitorPage(web, ['P1'])).toEqual([]);
  });
});
