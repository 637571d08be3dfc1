import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INFER, STATUS } from './grpc-caller.js';
import { encodeInfer } from './infer-wire.js';
import { printTable } from './print-table.js';
import { type QuickWorker, startQuickWorker } from './quick-worker.js';
import { until } from './until.js';
import { seeded, sumInput } from './worker-models.js';

const MEGABYTE = 1024 * 1024;

let quick: QuickWorker;

beforeAll(async () => {
  quick = await startQuickWorker();
});
afterAll(() => quick?.stop());

async function expectServes(): Promise<void> {
  expect((await quick.worker.get('/health/ready')).status).toBe(200);
  await quick.expectServes();
}

/** What the server says to bytes on a new connection, until it closes it or the time is over. */
async function saidTo(bytes: Uint8Array, withinMs = 1_500): Promise<{ text: string; isEnded: boolean }> {
  const socket = connect(quick.worker.operationsPort, '127.0.0.1');
  let text = '';
  let isEnded = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('close', () => (isEnded = true));
  await once(socket, 'connect');
  socket.write(bytes);
  await until('the end of the connection', withinMs, () => isEnded).catch(() => undefined);
  socket.destroy();
  return { text, isEnded };
}

const request = (line: string, headers = 'host: x\r\nconnection: close\r\n'): Buffer =>
  Buffer.from(`${line}\r\n${headers}\r\n`, 'latin1');

describe('the operations port under hostile requests', () => {
  const paths = [
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/%',
    '/%ff%fe',
    '//',
    '/metrics/../health',
    '/v2/models/__proto__',
    '/v2/models/constructor/ready',
    `/v2/models/${'x'.repeat(5_000)}`,
    '/v2/models/a/versions/../../..',
    '/models?x=<script>alert(1)</script>',
    '/<script>',
    '/health/ready?a=1',
    '*',
    'http://x/',
  ];
  it.each(paths)('GET %s gets a status below 500 and shows no internal text', async (path) => {
    const { text } = await saidTo(request(`GET ${path} HTTP/1.1`));
    expect(text).toMatch(/^HTTP\/1\.1 [234]\d\d /);
    expect(text).not.toMatch(/node_modules|\bat \w+ \(|\/src\/|\/dist\/|root:x|<script>/);
    await expectServes();
  });

  it.each<[string, Buffer]>([
    [
      'another method',
      request('POST /metrics HTTP/1.1', 'host: x\r\ncontent-length: 0\r\nconnection: close\r\n'),
    ],
    ['DELETE', request('DELETE /v2/models/quick.recommend HTTP/1.1')],
    ['TRACE', request('TRACE / HTTP/1.1')],
    ['headers of 100 KB', request('GET / HTTP/1.1', `host: x\r\nx: ${'y'.repeat(100_000)}\r\n`)],
    ['10,000 headers', request('GET / HTTP/1.1', `host: x\r\n${'a: b\r\n'.repeat(10_000)}`)],
    ['a bad version', request('GET / HTTP/9.9')],
    [
      'both lengths',
      request('POST / HTTP/1.1', 'host: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n'),
    ],
    ['a negative length', request('POST / HTTP/1.1', 'host: x\r\ncontent-length: -1\r\n')],
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['noise', Buffer.from(Array.from({ length: 4_096 }, seeded(5)).map((share) => Math.floor(share * 256)))],
  ])('%s: an answer or the end of the connection', async (_, bytes) => {
    const { text, isEnded } = await saidTo(bytes);
    expect(isEnded || /^HTTP\/1\.1 \d/.test(text)).toBe(true);
    expect(text).not.toMatch(/^HTTP\/1\.1 5/);
    await expectServes();
  });

  it('a body that never comes, and 1,000 connections that say half a request, hold up nobody', async () => {
    const before = await quick.worker.residentBytes();
    const sockets = Array.from({ length: 1_000 }, (_, i) => {
      const socket = connect(quick.worker.operationsPort, '127.0.0.1', () =>
        socket.write(i % 2 ? 'GET /metr' : 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n'),
      );
      socket.on('error', () => undefined).resume();
      return socket;
    });
    await until('connections', 20_000, () => sockets.every((socket) => !socket.connecting));
    const startedAt = performance.now();
    // A probe comes on a connection of its own; the limit on connections must not keep it out for long.
    const probe = await until('an answer to a probe', 15_000, async () => {
      const { text } = await saidTo(request('GET /health/ready HTTP/1.1'));
      return text.startsWith('HTTP/1.1 200') ? performance.now() - startedAt : undefined;
    }).finally(() => sockets.forEach((socket) => socket.destroy()));
    await expectServes();
    const grown = ((await quick.worker.residentBytes()) - before) / MEGABYTE;
    printTable('1,000 half requests', [{ grownMb: grown, probeMs: probe }]);
    expect(grown).toBeLessThan(150);
  });

  it('500 scrapes at once are answered, or their connections ended, and hold calls up for less than a second', async () => {
    const scrapes = Promise.all(
      Array.from({ length: 500 }, async () => (await quick.worker.get('/metrics').catch(() => null))?.status),
    );
    const question = encodeInfer({ model: 'quick.recommend', inputs: [sumInput(1, 1)] });
    const { status, tookMs } = await quick.caller.call(INFER, question, { deadlineMs: 10_000 });
    const statuses = new Set(await scrapes);
    printTable('500 scrapes at once', [{ callMs: tookMs }]);
    expect(status).toBe(STATUS.OK);
    expect(
      [...statuses].every((each) => each === 200 || each === undefined || each === 429 || each === 503),
    ).toBe(true);
    await expectServes();
  });
});
