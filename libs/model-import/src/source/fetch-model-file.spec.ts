import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ModelRefused } from '@sextant/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchModelFile, type SourceLimits } from './fetch-model-file.js';

const MAX_BYTES = 10_000;
const CONTENT = Buffer.alloc(5_000, 7);

let folder: string;
let server: Server;
let port: number;
let web: NonNullable<SourceLimits['web']>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sextant-source-'));
  await mkdir(join(folder, 'in/demo'), { recursive: true });
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert],
    ...subject,
  ]);
  server = createServer({ key: await readFile(key), cert: await readFile(cert) }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  web = { isAllowed: (address) => address === '127.0.0.1', port, ca: await readFile(cert, 'utf8') };
});
afterAll(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

/** One path for each way in which a server can behave. */
function answer({ url }: IncomingMessage, response: ServerResponse): void {
  const lead = (location: string): void => void response.writeHead(302, { location }).end();
  if (url === '/model.onnx') response.end(CONTENT);
  else if (url === '/away') lead('/model.onnx');
  else if (url === '/inside') lead('https://10.0.0.1/secret');
  else if (url === '/metadata') lead('https://169.254.169.254/latest/meta-data');
  else if (url === '/plain') lead('http://localhost/model.onnx');
  else if (url === '/file') lead('file:///etc/passwd');
  else if (url === '/round') lead('/round');
  else if (url === '/announced') response.writeHead(200, { 'content-length': 1e12 }).write('x');
  else if (url === '/endless') void pour(response);
  else if (url === '/silent') response.writeHead(200).write('x');
  else if (url === '/broken')
    response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy());
  else response.writeHead(404).end();
}

async function pour(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    if (!response.write(CONTENT)) {
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
    }
  }
}

const limits = (timeMs = 5_000): SourceLimits => ({
  folder: join(folder, 'in'),
  maxBytes: MAX_BYTES,
  timeMs,
  web,
});
const get = (path: string, timeMs?: number): Promise<Buffer> =>
  fetchModelFile('demo', `https://localhost:${port}${path}`, limits(timeMs));
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'fetched',
    (error: unknown) => (error instanceof ModelRefused ? error.code : error),
  );

describe('fetchModelFile over https', () => {
  it('reads a file, also where it was moved to', async () => {
    expect(await get('/model.onnx')).toEqual(CONTENT);
    expect(await get('/away')).toEqual(CONTENT);
  });

  it.each([
    ['/inside', 'SOURCE_REFUSED'],
    ['/metadata', 'SOURCE_REFUSED'],
    ['/plain', 'SOURCE_REFUSED'],
    ['/file', 'SOURCE_REFUSED'],
    ['/round', 'SOURCE_REFUSED'],
    ['/nowhere', 'SOURCE_UNREACHABLE'],
    ['/broken', 'SOURCE_UNREACHABLE'],
    ['/announced', 'FILE_TOO_LARGE'],
    ['/endless', 'FILE_TOO_LARGE'],
  ])('refuses %s: %s', async (path, code) => {
    expect(await codeOf(get(path))).toBe(code);
  });

  it('waits no longer than it may', async () => {
    const startedAt = performance.now();
    expect(await codeOf(get('/silent', 300))).toBe('SOURCE_UNREACHABLE');
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  it('trusts only certificates of authorities', async () => {
    const { ca: _own, ...others } = web;
    const of = fetchModelFile('demo', `https://localhost:${port}/model.onnx`, { ...limits(), web: others });
    expect(await codeOf(of)).toBe('SOURCE_UNREACHABLE');
  });

  it('connects to no address inside, however it is written', async () => {
    for (const host of [
      'localhost',
      '127.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0x7f.1',
      '0.0.0.0',
    ]) {
      const of = fetchModelFile('demo', `https://${host}:${port}/model.onnx`, { ...limits(), web: { port } });
      expect([host, await codeOf(of)]).toEqual([host, 'SOURCE_REFUSED']);
    }
    const named = fetchModelFile('demo', `https://user:password@localhost:${port}/model.onnx`, limits());
    expect(await codeOf(named)).toBe('SOURCE_REFUSED');
  });
});

describe('fetchModelFile from a folder', () => {
  it('reads files of up to the limit, no link, no folder, no pipe and no device', async () => {
    const own = join(folder, 'in/demo');
    await writeFile(join(own, 'fits.onnx'), Buffer.alloc(MAX_BYTES));
    await writeFile(join(own, 'large.onnx'), Buffer.alloc(MAX_BYTES + 1));
    await symlink('/dev/zero', join(own, 'zeros'));
    await promisify(execFile)('mkfifo', [join(own, 'pipe')]);
    const code = (name: string) => codeOf(fetchModelFile('demo', `file://${own}/${name}`, limits()));
    expect(await code('fits.onnx')).toBe('fetched');
    expect(await code('large.onnx')).toBe('FILE_TOO_LARGE');
    expect(await code('zeros')).toBe('SOURCE_REFUSED');
    expect(await code('pipe')).toBe('SOURCE_REFUSED');
    expect(await code('none.onnx')).toBe('SOURCE_UNREACHABLE');
    expect(await code('../../key.pem')).toBe('SOURCE_REFUSED');
    expect(await code('%2e%2e/%2e%2e/key.pem')).toBe('SOURCE_REFUSED');
  });
});
