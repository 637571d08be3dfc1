import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, symlinkSync, mkdirSync, writeFileSync, utimesSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aGateway, ask, composeTiny, TYPE_DEFS } from '../test-gateway.js';
import { aFickleSubgraph } from '../subgraphs/test-subgraph.js';
import { supergraphSource } from './supergraph-source.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sextant-supergraph-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a file that looks as if it had been written a while ago, each time later. */
let writtenAt = Math.floor(Date.now() / 1_000) - 10_000;
function writeSettled(path: string, text: string): void {
  writeFileSync(path, text);
  writtenAt += 1;
  utimesSync(path, writtenAt, writtenAt);
}

describe('a supergraph file', () => {
  it('is read once for each content', async () => {
    const path = join(folder, 'a.graphql');
    const source = supergraphSource(path, { authorization: '' });
    writeSettled(path, 'one');
    expect(await source.read()).toBe('one');
    expect(await source.read()).toBeNull();
    writeSettled(path, 'one');
    expect(await source.read()).toBeNull();
    writeSettled(path, 'two');
    expect(await source.read()).toBe('two');
  });

  it('is followed over a rename and over the symlinks of a mounted ConfigMap', async () => {
    const data = (name: string, text: string): void => {
      mkdirSync(join(folder, name));
      writeSettled(join(folder, name, 'supergraph.graphql'), text);
      symlinkSync(name, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    data('..2026_01', 'one');
    symlinkSync('..data/supergraph.graphql', join(folder, 'supergraph.graphql'));
    const source = supergraphSource(join(folder, 'supergraph.graphql'), { authorization: '' });
    expect(await source.read()).toBe('one');
    data('..2026_02', 'two');
    expect(await source.read()).toBe('two');
    writeSettled(join(folder, 'new'), 'three');
    renameSync(join(folder, 'new'), join(folder, 'supergraph.graphql'));
    expect(await source.read()).toBe('three');
  });

  it('that was touched just now is left until it rests', async () => {
    const path = join(folder, 'a.graphql');
    const source = supergraphSource(path, { authorization: '' });
    writeSettled(path, 'one');
    await source.read();
    writeFileSync(path, 'tw');
    expect(await source.read()).toBeNull();
    await expect.poll(() => source.read(), { timeout: 2_000 }).toBe('tw');
  });

  it('that is gone is a fault that names the setting', async () => {
    const source = supergraphSource(join(folder, 'none'), { authorization: '' });
    await expect(source.read()).rejects.toMatchObject({
      code: 'SUPERGRAPH_UNAVAILABLE',
      message: expect.stringContaining('SUPERGRAPH_PATH') as string,
    });
  });
});

describe('a supergraph at a URL', () => {
  const asked: IncomingHttpHeaders[] = [];
  let respond: (response: ServerResponse) => void;
  const server = createServer((request, response) => {
    asked.push(request.headers);
    respond(response);
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/supergraph`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    asked.length = 0;
  });

  it('is asked for with the entity tag of what was read, and with the authorization', async () => {
    const source = supergraphSource(url, { authorization: 'Bearer abc' });
    respond = (response) => void response.writeHead(200, { etag: '"1"' }).end('one');
    expect(await source.read()).toBe('one');
    respond = (response) => void response.writeHead(304).end();
    expect(await source.read()).toBeNull();
    expect(asked.map((headers) => [headers['if-none-match'], headers.authorization])).toEqual([
      [undefined, 'Bearer abc'],
      ['"1"', 'Bearer abc'],
    ]);
    respond = (response) => void response.writeHead(200).end('one');
    expect(await source.read()).toBeNull();
  });

  it('is refused when it is not what its Content-Digest says', async () => {
    const digest = createHash('sha256').update('one').digest('base64');
    const source = supergraphSource(url, { authorization: '' });
    respond = (response) =>
      void response.writeHead(200, { 'content-digest': `sha-256=:${digest}:` }).end('on');
    await expect(source.read()).rejects.toThrow('Content-Digest');
    respond = (response) =>
      void response.writeHead(200, { 'content-digest': `sha-256=:${digest}:` }).end('one');
    expect(await source.read()).toBe('one');
  });

  it.each([
    ['an error', (response: ServerResponse) => void response.writeHead(500).end('no')],
    [
      'a broken answer',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-length': '9' }).end('one').destroy(),
    ],
    ['no answer', (response: ServerResponse) => void response.destroy()],
  ])('%s is SUPERGRAPH_UNAVAILABLE', async (_, behaviour) => {
    respond = behaviour;
    const source = supergraphSource(url, { authorization: '' });
    await expect(source.read()).rejects.toMatchObject({ code: 'SUPERGRAPH_UNAVAILABLE' });
  });
});

describe('a reload under load', { timeout: 60_000 }, () => {
  const QUERY = '{ customer(id: "1") { name score } }';
  let running: Awaited<ReturnType<typeof aGateway>>;
  let token: string;
  let partner: Awaited<ReturnType<typeof aFickleSubgraph>>;
  beforeAll(async () => {
    partner = await aFickleSubgraph((response) => void response.end('{"data":{"weather":"sunny"}}'));
    running = await aGateway({
      SUPERGRAPH_POLL_MS: '20',
      SUBGRAPH_URLS: `partner=${partner.url}`,
      SUBGRAPH_SECRETS: `partner=${'p'.repeat(32)}`,
    });
    token = await running.token();
  });
  afterAll(async () => {
    await running.stop();
    await partner.stop();
  });

  const query = (text: string) =>
    ask(running.gateway.url, { query: text }, { authorization: `Bearer ${token}` });
  const place = (): string => join(running.folder, 'supergraph.graphql');
  const gauge = async (name: string): Promise<number> => {
    const text = await (await fetch(running.gateway.metricsUrl)).text();
    return Number(new RegExp(`^${name}(?:{[^}]*})? (.+)$`, 'm').exec(text)?.[1] ?? 0);
  };

  /** Asks with eight clients until `change` is over and for 150 answers more. @returns what did not go well */
  async function underLoad(change: () => Promise<void>): Promise<{ failures: unknown[]; served: number }> {
    const failures: unknown[] = [];
    const until = { served: 0, last: Infinity };
    const client = async (): Promise<void> => {
      while (until.served < until.last) {
        const answer = await query(QUERY).catch((error: unknown) => error);
        until.served += 1;
        const { data, errors } = answer as Awaited<ReturnType<typeof query>>;
        if (errors || JSON.stringify(data) !== '{"customer":{"name":"Customer 1","score":0.5}}')
          failures.push(answer);
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    await change();
    until.last = until.served + 150;
    await clients;
    return { failures, served: until.served };
  }

  const replaceBy = (sdl: string): void => {
    writeFileSync(`${place()}.new`, sdl);
    renameSync(`${place()}.new`, place());
  };
  const withField = (field: string): string =>
    composeTiny({
      ...TYPE_DEFS,
      campaign: TYPE_DEFS.campaign.replace('title: String', `title: String ${field}: String`),
    });
  const knows = async (field: string): Promise<boolean> =>
    !(await query(`{ product(id: "1") { ${field} } }`)).errors?.some(
      ({ extensions }) => extensions.code === 'GRAPHQL_VALIDATION_FAILED',
    );

  it('fails no request over five new supergraphs, and lets the old engines go', async () => {
    const { failures, served } = await underLoad(async () => {
      for (let i = 1; i <= 5; i += 1) {
        replaceBy(withField(`extra${i}`));
        await expect.poll(() => knows(`extra${i}`), { timeout: 15_000 }).toBe(true);
      }
    });
    expect(failures).toEqual([]);
    expect(served).toBeGreaterThan(150);
    expect(await gauge('sextant_gateway_engines')).toBe(1);
  });

  it('brings a further subgraph in, whose address and secret are set, and none without', async () => {
    const weather = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
      type Query { weather: String @requiresScopes(scopes: [["customer:read"]]) }`;
    const { failures } = await underLoad(async () => {
      replaceBy(composeTiny({ ...TYPE_DEFS, partner: weather }));
      await expect
        .poll(async () => (await query('{ weather }')).data, { timeout: 15_000 })
        .toEqual({ weather: 'sunny' });
      replaceBy(composeTiny({ ...TYPE_DEFS, stranger: weather }));
      await expect.poll(() => gauge('sextant_gateway_supergraph_stale'), { timeout: 15_000 }).toBe(1);
    });
    expect(failures).toEqual([]);
    expect((await query('{ weather }')).data).toEqual({ weather: 'sunny' });
  });

  it('keeps the last good one through every bad file, fails no request, and says so in a metric', async () => {
    const open = withField('more').replace(
      /slow: String @join__field\(graph: CUSTOMER\) @requiresScopes\([^)]*\)/,
      'slow: String @join__field(graph: CUSTOMER)',
    );
    const bad = ['', 'type Query {', withField('cut').slice(0, 4_000), 'type Query { a: Int }', open];
    replaceBy(withField('good'));
    await expect.poll(() => knows('good'), { timeout: 15_000 }).toBe(true);
    const { failures } = await underLoad(async () => {
      for (const text of bad) {
        replaceBy(text);
        await expect.poll(() => gauge('sextant_gateway_supergraph_stale'), { timeout: 15_000 }).toBe(1);
        replaceBy(withField('good'));
        await expect.poll(() => gauge('sextant_gateway_supergraph_stale'), { timeout: 15_000 }).toBe(0);
      }
      rmSync(place());
      await expect.poll(() => gauge('sextant_gateway_supergraph_stale'), { timeout: 15_000 }).toBe(1);
    });
    expect(failures).toEqual([]);
    expect(await knows('good')).toBe(true);
  });
});

describe('a gateway whose supergraph is at a URL', () => {
  it('starts with it, takes over what comes, and goes on while the place is down', async () => {
    const served = { sdl: composeTiny(), asked: 0, isDown: false };
    const place = createServer((request, response) => {
      served.asked += 1;
      if (served.isDown) return void response.writeHead(503).end();
      const etag = `"${createHash('sha256').update(served.sdl).digest('hex')}"`;
      if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
      response.writeHead(200, { etag }).end(served.sdl);
    });
    await new Promise<void>((resolve) => place.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(place.address() as AddressInfo).port}/supergraph.graphql`;
    const running = await aGateway({ SUPERGRAPH_PATH: url, SUPERGRAPH_POLL_MS: '20' });
    const headers = { authorization: `Bearer ${await running.token()}` };
    const product = (field: string) =>
      ask(running.gateway.url, { query: `{ product(id: "1") { ${field} } }` }, headers);

    expect((await product('title')).data).toEqual({ product: { title: 'Product 1' } });
    const campaign = TYPE_DEFS.campaign.replace('title: String', 'title: String extra: String');
    const code = async () => (await product('extra')).errors?.[0]?.extensions.code;
    expect(await code()).toBe('GRAPHQL_VALIDATION_FAILED');
    served.sdl = composeTiny({ ...TYPE_DEFS, campaign });
    await expect.poll(code, { timeout: 15_000 }).not.toBe('GRAPHQL_VALIDATION_FAILED');
    served.isDown = true;
    const before = served.asked;
    await expect.poll(() => served.asked, { timeout: 15_000 }).toBeGreaterThan(before + 2);
    expect((await product('title')).data).toEqual({ product: { title: 'Product 1' } });
    await running.stop();
    await new Promise((resolve) => place.close(resolve));
  });
});
