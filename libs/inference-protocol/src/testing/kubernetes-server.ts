import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EndpointSlice } from '../discovery/endpoint-slices.js';
import type { KubernetesAccess } from '../discovery/kubernetes-api.js';
import { selfSignedCertificate } from './self-signed-certificate.js';

interface Change {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: EndpointSlice;
}

/** An HTTPS server that speaks the list and watch protocol of the Kubernetes API for the EndpointSlices of one namespace. */
export class KubernetesServer {
  /** what was asked, in order */
  readonly requests: URL[] = [];
  token = 'token-1';
  /** list pages are this long */
  pageSize = 500;
  private version = 100;
  private oldestVersion = 0;
  private readonly slices = new Map<string, { service: string; object: EndpointSlice }>();
  private readonly changes: Change[] = [];
  private readonly watches = new Set<ServerResponse>();

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    readonly access: KubernetesAccess,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.serve(request, response),
    );
  }

  static async start(): Promise<KubernetesServer> {
    const { key, cert } = selfSignedCertificate();
    const folder = await mkdtemp(join(tmpdir(), 'kubernetes-'));
    const access = {
      tokenFile: join(folder, 'token'),
      caFile: join(folder, 'ca.crt'),
      namespaceFile: join(folder, 'namespace'),
    };
    await writeFile(access.caFile, cert);
    await writeFile(access.namespaceFile, 'shop\n');
    const server = createServer({ key, cert });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const kubernetes = new KubernetesServer(server, folder, {
      ...access,
      apiUrl: `https://127.0.0.1:${port}`,
    });
    await kubernetes.rotate('token-1');
    return kubernetes;
  }

  /** From now on only this token is taken; the pod's file holds it. */
  async rotate(token: string): Promise<void> {
    this.token = token;
    await writeFile(this.access.tokenFile, `${token}\n`);
  }

  set(service: string, name: string, slice: Omit<EndpointSlice, 'metadata'>): void {
    this.version += 1;
    const type = this.slices.has(name) ? 'MODIFIED' : 'ADDED';
    const object = { ...slice, metadata: { name, resourceVersion: String(this.version) } };
    this.slices.set(name, { service, object });
    this.tell({ version: this.version, type, object });
  }

  remove(name: string): void {
    const slice = this.slices.get(name);
    if (!slice) throw new Error(`there is no slice ${name}`);
    this.version += 1;
    this.slices.delete(name);
    const metadata = { name, resourceVersion: String(this.version) };
    this.tell({ version: this.version, type: 'DELETED', object: { ...slice.object, metadata } });
  }

  /** Watches can go on from the current version at the earliest. */
  forgetHistory(): void {
    this.version += 1;
    this.oldestVersion = this.version;
    this.changes.length = 0;
  }

  /** Ends every watch as a time-out of the API does. */
  endWatches(): void {
    for (const watch of this.watches) watch.end();
    this.watches.clear();
  }

  /** Tells every watch that its version is gone. */
  expireWatches(): void {
    this.forgetHistory();
    for (const watch of this.watches)
      write(watch, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    this.endWatches();
  }

  /** Resets every connection. */
  breakConnections(): void {
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    await rm(this.folder, { recursive: true });
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.access.apiUrl);
    this.requests.push(url);
    if (request.headers.authorization !== `Bearer ${this.token}`) return fail(response, 401);
    if (url.pathname !== '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices')
      return fail(response, 403);
    if (url.searchParams.get('watch') === '1') this.watch(url, response);
    else this.list(url, response);
  }

  private list(url: URL, response: ServerResponse): void {
    const all = [...this.slices.values()]
      .filter(({ service }) => isSelected(url, service))
      .map(({ object }) => object);
    const from = Number(url.searchParams.get('continue') ?? 0);
    const to = from + this.pageSize;
    const more = to < all.length ? { continue: String(to) } : {};
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        metadata: { resourceVersion: String(this.version), ...more },
        items: all.slice(from, to),
      }),
    );
  }

  private watch(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.oldestVersion) return fail(response, 410);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const change of this.changes) if (change.version > from) write(response, change);
    this.watches.add(response);
    response.once('close', () => this.watches.delete(response));
  }

  private tell(change: Change): void {
    this.changes.push(change);
    for (const watch of this.watches) write(watch, change);
  }
}

function isSelected(url: URL, service: string): boolean {
  return url.searchParams.get('labelSelector') === `kubernetes.io/service-name=${service}`;
}

function write(watch: ServerResponse, { type, object }: { type: string; object: unknown }): void {
  watch.write(`${JSON.stringify({ type, object })}\n`);
}

function fail(response: ServerResponse, code: number): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', code }));
}
