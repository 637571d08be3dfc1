import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INFER } from './grpc-caller.js';
import { frame, opened, TYPE } from './http2-frames.js';
import { printTable } from './print-table.js';
import { type QuickWorker, startQuickWorker } from './quick-worker.js';
import { until } from './until.js';
import { seeded } from './worker-models.js';

const MEGABYTE = 1024 * 1024;

let quick: QuickWorker;

beforeAll(async () => {
  quick = await startQuickWorker();
});
afterAll(() => quick?.stop());

/** Writes bytes on a new connection. @returns whether the server ended it within the time */
async function isEndedAfter(port: number, chunks: Iterable<Uint8Array>, withinMs = 5_000): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  let ended = false;
  socket.on('error', () => undefined);
  socket.on('close', () => (ended = true));
  socket.on('end', () => (ended = true));
  socket.resume();
  await once(socket, 'connect');
  for (const chunk of chunks) {
    if (ended || socket.destroyed) break;
    if (!socket.write(chunk)) await until('room to write', 20_000, () => ended || !socket.writableNeedDrain);
  }
  const closed = await until('the end of the connection', withinMs, () => ended).catch(() => false);
  socket.destroy();
  return closed;
}

function* repeated(bytes: Buffer, times: number): Generator<Buffer> {
  for (let i = 0; i < times; i += 1) yield bytes;
}

describe('a connection that does not speak HTTP/2 as it should', () => {
  const noise = seeded(3);
  it.each<[string, () => Iterable<Buffer>]>([
    [
      'HTTP/1.1',
      () => [
        Buffer.from(
          'POST /inference.GRPCInferenceService/ModelInfer HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc',
        ),
      ],
    ],
    ['TLS', () => [Buffer.from('160301020001000001fc0303', 'hex'), Buffer.alloc(512, 1)]],
    ['noise', () => [Buffer.from(Array.from({ length: 4_096 }, () => Math.floor(noise() * 256)))]],
    ['DATA on stream 0', () => [opened(frame(TYPE.data, 0, 0, Buffer.alloc(8)))]],
    ['HEADERS on an even stream', () => [opened(frame(TYPE.headers, 5, 2, Buffer.from([0x82])))]],
    ['headers that are no HPACK', () => [opened(frame(TYPE.headers, 5, 1, Buffer.alloc(64, 0xff)))]],
    ['a frame above the agreed size', () => [opened(frame(TYPE.data, 0, 1, Buffer.alloc(100_000)))]],
    [
      'SETTINGS of a length that is no multiple of six',
      () => [opened(frame(TYPE.settings, 0, 0, Buffer.alloc(5)))],
    ],
    ['WINDOW_UPDATE of 0', () => [opened(frame(TYPE.window, 0, 0, Buffer.alloc(4)))]],
    [
      'a window that overflows',
      () => [
        opened(
          frame(TYPE.window, 0, 0, Buffer.from('7fffffff', 'hex')),
          frame(TYPE.window, 0, 0, Buffer.from('7fffffff', 'hex')),
        ),
      ],
    ],
    ['PUSH_PROMISE of a client', () => [opened(frame(TYPE.push, 4, 1, Buffer.alloc(8)))]],
    ['CONTINUATION without HEADERS', () => [opened(frame(TYPE.continuation, 4, 1, Buffer.from([0x82])))]],
    [
      'CONTINUATION without end',
      () =>
        (function* () {
          yield opened(frame(TYPE.headers, 0, 1, Buffer.from([0x82])));
          yield* repeated(
            frame(TYPE.continuation, 0, 1, Buffer.from('40036162630364656600', 'hex')),
            100_000,
          );
        })(),
    ],
  ])('%s: it is ended, others are served', async (_, chunks) => {
    expect(await isEndedAfter(quick.worker.port, chunks())).toBe(true);
    await quick.expectServes();
  });

  const call = Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04, INFER.length, ...Buffer.from(INFER), 0x01, 1, ...Buffer.from('x')]),
    Buffer.from([
      0x0f,
      0x10,
      16,
      ...Buffer.from('application/grpc'),
      0x00,
      2,
      ...Buffer.from('te'),
      8,
      ...Buffer.from('trailers'),
    ]),
  ]);
  const openStream = frame(TYPE.headers, 4, 1, call);

  it.each<[string, Buffer, number]>([
    ['PING', frame(TYPE.ping, 0, 0, Buffer.alloc(8)), 200_000],
    ['SETTINGS', frame(TYPE.settings, 0, 0, Buffer.from('000300000064', 'hex')), 100_000],
    ['PRIORITY', frame(TYPE.priority, 0, 1, Buffer.alloc(5)), 200_000],
    ['empty DATA on an open stream', frame(TYPE.data, 0, 1), 200_000],
  ])('a flood of %s frames: others are served during and after it', async (name, flood, count) => {
    const before = await quick.worker.residentBytes();
    const flooding = isEndedAfter(
      quick.worker.port,
      (function* () {
        yield opened(openStream);
        yield* repeated(Buffer.concat(new Array<Buffer>(100).fill(flood)), count / 100);
      })(),
      100,
    );
    await quick.expectServes();
    const isEnded = await flooding;
    printTable(`flood of ${name}`, [{ isEnded }]);
    await quick.expectServes();
    expect((await quick.worker.residentBytes()) - before).toBeLessThan(150 * MEGABYTE);
  });
});

describe('connections', () => {
  it('1,000 idle ones, half of them without a preface, harm nobody and leave no trace', async () => {
    const handles = async (): Promise<number> => quick.worker.metric('process_open_fds');
    const before = await handles();
    const sockets: Socket[] = Array.from({ length: 1_000 }, (_, i) => {
      const socket = connect(quick.worker.port, '127.0.0.1', () => i % 2 === 0 && socket.write(opened()));
      socket.on('error', () => undefined).resume();
      return socket;
    });
    await until('connections', 20_000, () => sockets.every((socket) => !socket.connecting));
    await quick.expectServes();
    for (const socket of sockets) socket.destroy();
    await until('the worker to let go of them', 10_000, async () => (await handles()) <= before + 5);
    await quick.expectServes();
  });
});
