import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway } from '../test-gateway.js';

const TABS = { tabs: [{ query: '{ whoami } # </script>', variables: { id: '7' }, token: 'the-demo-token' }] };

let folder: string;
let running: Awaited<ReturnType<typeof aGateway>>;
let origin: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sextant-graphiql-'));
  writeFileSync(join(folder, 'samples.json'), JSON.stringify(TABS));
  running = await aGateway({
    SEXTANT_GRAPHIQL: '1',
    SEXTANT_GRAPHIQL_SAMPLES: join(folder, 'samples.json'),
  });
  origin = new URL(running.gateway.url).origin;
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true });
});

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const openPage = () => fetch(`${origin}/graphql`, { headers: HTML });

describe('GraphiQL', () => {
  it('comes whole from this server: nothing of it names another', async () => {
    const page = await openPage();
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    const html = await page.text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url = '']) => url);
    expect(loaded).toEqual([
      'data:,',
      '/graphiql/graphiql.css',
      '/graphiql/graphiql.js',
      '/graphiql/boot.js',
    ]);
    const workers = ['editor', 'graphql', 'json'].map((name) => `/graphiql/${name}.worker.js`);
    for (const url of [...loaded.slice(1), ...workers]) {
      const asset = await fetch(origin + url);
      expect([url, asset.status]).toEqual([url, 200]);
      const text = await asset.text();
      expect(text.length).toBeGreaterThan(200);
      if (url.endsWith('.css')) expect(text).not.toMatch(/(?:url\(|@import)\s*["']?(?:https?:)?\/\//);
    }
  });

  it('opens with the given tabs, whose text cannot leave its place', async () => {
    const html = await (await openPage()).text();
    const [, options = ''] =
      /<script type="application\/json" id="options">(.*?)<\/script>/s.exec(html) ?? [];
    const { defaultTabs } = JSON.parse(options) as { defaultTabs: { query: string; headers: string }[] };
    expect(defaultTabs.map(({ query }) => query)).toEqual(['{ whoami } # </script>']);
    expect(defaultTabs[0]?.headers).toContain('Bearer the-demo-token');
  });

  it('shows tokens to this machine only, and not under a name that merely points to it', async () => {
    const rebound = await new Promise<string>((resolve) => {
      get(`${origin}/graphql`, { headers: { ...HTML, host: 'evil.example:4000' } }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      });
    });
    expect(rebound).toContain('paste-a-token-here');
    expect(rebound).not.toContain('the-demo-token');
  });

  it('leaves operations by GET to GraphQL', async () => {
    const authorization = `Bearer ${await running.token()}`;
    const answer = await fetch(`${origin}/graphql?query={whoami}`, { headers: { ...HTML, authorization } });
    expect(await answer.json()).toMatchObject({ data: { whoami: 'user-1@demo' } });
    expect((await fetch(`${origin}/graphiql/nothing.js`)).status).toBe(404);
  });
});
