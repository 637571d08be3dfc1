import type { IncomingMessage, ServerResponse } from 'node:http';
import { names } from '../http/media-type.js';
import type { SideDoor } from '../http/http-front.js';
import { type Asset, graphiqlAssets } from './graphiql-assets.js';
import { type Tab, tabsFrom } from './graphiql-samples.js';

export interface GraphiqlOptions {
  /** file of tabs and tokens; null: none */
  samples: string | null;
  /** told why the page cannot be served */
  onProblem(error: unknown): void;
}

/** Everything comes from this server; the editor sets styles as it goes. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** GraphiQL for a browser that opens /graphql, without a word to any other server. */
export function graphiqlDoor(options: GraphiqlOptions): SideDoor {
  let assets: Promise<ReadonlyMap<string, Asset>> | null = null;
  const serve = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    assets ??= graphiqlAssets();
    const files = await assets;
    if (path !== '/graphql') return sendAsset(response, files.get(path.slice('/graphiql/'.length)));
    sendPage(response, await tabsFrom(options.samples, isLocal(request)));
  };
  return {
    open(request, response, path) {
      const isWanted = path.startsWith('/graphiql/') || (path === '/graphql' && isOpenedInBrowser(request));
      if (request.method !== 'GET' || !isWanted) return false;
      serve(path, request, response).catch((error: unknown) => {
        options.onProblem(error);
        response.writeHead(500).end('GraphiQL cannot be shown; the log of the gateway says why.');
      });
      return true;
    },
  };
}

/** A page that is opened, not an operation: it takes HTML, and there is no query. */
function isOpenedInBrowser({ headers, url = '' }: IncomingMessage): boolean {
  const search = new URLSearchParams(url.split('?')[1] ?? '');
  const isOperation =
    headers.authorization !== undefined || search.has('documentId') || search.has('extensions');
  return !isOperation && names(headers.accept, 'text/html');
}

/**
 * Whether a browser on this machine asks for this machine. By its name, too: a page elsewhere may have made its own name point here.
 */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const isNear = /^(?:127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? '');
  return isNear && /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(headers.host ?? '');
}

function sendPage(response: ServerResponse, defaultTabs: readonly Tab[]): void {
  const options = JSON.stringify({
    title: 'Sextant',
    endpoint: '/graphql',
    defaultTabs,
    headers: defaultTabs[0]?.headers, // of new tabs, and of the first one until it is left
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
    subscriptionsProtocol: 'SSE',
  }).replaceAll('<', '\\u003c');
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sextant</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/graphiql/graphiql.css">
<style>
html, body, #root { height: 100%; margin: 0 }
/* The animation of tabs that are there from the start never ends, and moves a tab away from under the pointer. */
.graphiql-tab { transform: none !important }
</style>
</head>
<body>
<noscript>GraphiQL needs JavaScript.</noscript>
<div id="root"></div>
<script type="application/json" id="options">${options}</script>
<script src="/graphiql/graphiql.js"></script>
<script src="/graphiql/boot.js"></script>
</body>
</html>
`);
}

function sendAsset(response: ServerResponse, asset: Asset | undefined): void {
  if (!asset) return void response.writeHead(404).end('there is no such file');
  response.writeHead(200, {
    'content-type': asset.type,
    'content-encoding': 'gzip',
    'content-length': asset.body.byteLength,
    'cache-control': 'private, max-age=3600',
    'x-content-type-options': 'nosniff',
  });
  response.end(asset.body);
}
