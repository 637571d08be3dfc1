import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values, grpcFrame } from './infer-wire.js';
import { printTable } from './print-table.js';
import { until } from './until.js';
import { aRepository, isSumOf, publishSum, seeded, sumInput, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const MEGABYTE = 1024 * 1024;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const QUESTION = encodeInfer({ model: 'quick.recommend', inputs: [sumInput(3, 9)] });
const ROWS_DONE = 'sextant_inference_batch_rows_sum{model="quick.recommend",program="score"}';
const CALL_HEADERS = {
  ':method': 'POST',
  ':path': INFER,
  'content-type': 'application/grpc',
  te: 'trailers',
};

let repository: TestRepository;
let worker: WorkerProcess;
let caller: GrpcCaller;

beforeAll(async () => {
  repository = await aRepository();
  const { directory } = repository;
  await directory.setLiveVersion('quick.recommend', await publishSum(directory, 'quick.recommend'));
  worker = await startWorkerProcess(repository.root, { INFERENCE_THREADS: '1' });
  caller = new GrpcCaller(worker.address);
});
afterAll(async () => {
  caller?.close();
  await worker?.kill();
  await repository?.remove();
});

/** An honest call on a connection of its own is answered correctly, and soon. */
async function expectServes(): Promise<void> {
  const { status, body, message } = await caller.call(INFER, QUESTION, { deadlineMs: 10_000 });
  if (status !== STATUS.OK) throw new Error(`an honest call got ${status}: ${message}`);
  expect(
    isSumOf(float32Values(decodeInfer(body ?? Buffer.alloc(0)).outputs[0]?.bytes ?? Buffer.alloc(0)), 3, {
      first: 9,
    }),
  ).toBe(true);
  expect(worker.isAlive()).toBe(true);
}

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
};

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

/** The right beginning, then what comes. */
const opened = (...frames: Buffer[]): Buffer =>
  Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0), ...frames]);

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
    expect(await isEndedAfter(worker.port, chunks())).toBe(true);
    await expectServes();
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
    const before = await worker.residentBytes();
    const flooding = isEndedAfter(
      worker.port,
      (function* () {
        yield opened(openStream);
        yield* repeated(Buffer.concat(new Array<Buffer>(100).fill(flood)), count / 100);
      })(),
      100,
    );
    await expectServes();
    const isEnded = await flooding;
    printTable(`flood of ${name}`, [{ isEnded }]);
    await expectServes();
    expect((await worker.residentBytes()) - before).toBeLessThan(150 * MEGABYTE);
  });
});

describe('streams that do not end', () => {
  it('headers and nothing more: the deadline ends them', async () => {
    const session = connectHttp2(`http://${worker.address}`);
    const answers = Array.from({ length: 500 }, () =>
      answerOf(session.request({ ...CALL_HEADERS, 'grpc-timeout': '500m' }, { endStream: false })),
    );
    await expectServes();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    session.destroy();
    expect(new Set(statuses)).toEqual(new Set([STATUS.DEADLINE_EXCEEDED]));
  });

  it('half a message, then nothing, and a byte now and then: the deadline ends them', async () => {
    const session = connectHttp2(`http://${worker.address}`);
    const body = grpcFrame(QUESTION);
    const half = session.request({ ...CALL_HEADERS, 'grpc-timeout': '500m' }, { endStream: false });
    half.write(body.subarray(0, 20));
    const dripping = session.request({ ...CALL_HEADERS, 'grpc-timeout': '1S' }, { endStream: false });
    let at = 0;
    const drip = setInterval(() => !dripping.closed && dripping.write(body.subarray(at, ++at)), 100);
    const answers = await Promise.all([answerOf(half), answerOf(dripping)]);
    clearInterval(drip);
    session.destroy();
    expect(answers.map(({ status }) => status)).toEqual([STATUS.DEADLINE_EXCEEDED, STATUS.DEADLINE_EXCEEDED]);
    await expectServes();
  });

  it('a message in single bytes is a message all the same', async () => {
    const session = connectHttp2(`http://${worker.address}`);
    const stream = session.request(CALL_HEADERS, { endStream: false });
    for (const byte of grpcFrame(QUESTION)) stream.write(Buffer.from([byte]));
    stream.end();
    expect((await answerOf(stream)).status).toBe(STATUS.OK);
    session.destroy();
  });

  it('without a deadline: 20,000 open streams cost bounded memory and others are served', async () => {
    const before = await worker.residentBytes();
    const session = connectHttp2(`http://${worker.address}`);
    session.setMaxListeners(0);
    session.on('error', () => undefined);
    let refused = 0;
    await once(session, 'connect');
    await once(session, 'remoteSettings');
    for (let i = 0; i < 20_000; i += 1) {
      const stream = session.request(CALL_HEADERS, { endStream: false });
      stream.on('error', () => (refused += 1));
    }
    await expectServes();
    const grown = (await worker.residentBytes()) - before;
    const limit = session.remoteSettings.maxConcurrentStreams;
    session.destroy();
    printTable('20,000 open streams on one connection', [
      { grownMb: grown / MEGABYTE, refused, limit: limit ?? null },
    ]);
    await expectServes();
    expect(grown).toBeLessThan(250 * MEGABYTE);
  });

  it('rapid reset: 20,000 streams opened and cancelled', async () => {
    const before = await worker.residentBytes();
    const session = connectHttp2(`http://${worker.address}`);
    session.setMaxListeners(0);
    session.on('error', () => undefined);
    const body = grpcFrame(QUESTION);
    let longest = 0;
    for (let i = 0; i < 20_000 && !session.destroyed; i += 1) {
      const stream = session.request(CALL_HEADERS, { endStream: false });
      stream.on('error', () => undefined);
      stream.end(body);
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 2_000 === 0)
        longest = Math.max(longest, (await caller.call(INFER, QUESTION, { deadlineMs: 10_000 })).tookMs);
    }
    await expectServes();
    session.destroy();
    await expectServes();
    const grown = (await worker.residentBytes()) - before;
    printTable('rapid reset', [{ longestHonestCallMs: longest, grownMb: grown / MEGABYTE }]);
    expect(grown).toBeLessThan(250 * MEGABYTE);
  });

  it('a client that cancels 200 calls a second keeps its connection', async () => {
    const session = connectHttp2(`http://${worker.address}`);
    session.setMaxListeners(0);
    const ends: string[] = [];
    session.on('error', (error) => ends.push(error.message));
    session.on('goaway', (code) => ends.push(`GOAWAY ${code}`));
    const startedAt = performance.now();
    let cancelled = 0;
    while (cancelled < 1_600 && ends.length === 0) {
      const due = Math.min(1_600, (200 * (performance.now() - startedAt)) / 1000);
      for (; cancelled < due; cancelled += 1) {
        const stream = session.request(CALL_HEADERS, { endStream: false });
        stream.on('error', () => undefined);
        setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 20);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const stream = ends.length === 0 ? session.request(CALL_HEADERS) : null;
    stream?.end(grpcFrame(QUESTION));
    const status = stream ? (await answerOf(stream)).status : -1;
    session.destroy();
    expect({ cancelled, ends, status }).toEqual({ cancelled: 1_600, ends: [], status: STATUS.OK });
  });

  it('a client that never reads its answers: they do not pile up without end', async () => {
    const rowsBefore = (await worker.metric(ROWS_DONE)) || 0;
    const before = await worker.residentBytes();
    const session = connectHttp2(`http://${worker.address}`, { settings: { initialWindowSize: 0 } });
    session.on('error', () => undefined);
    session.setMaxListeners(0);
    await once(session, 'connect');
    const rows = 1_000;
    const body = grpcFrame(encodeInfer({ model: 'quick.recommend', inputs: [sumInput(rows, 1)] }));
    for (let i = 0; i < 500; i += 1) {
      const stream = session.request({ ...CALL_HEADERS, 'grpc-timeout': '20S' }, { endStream: false });
      stream.on('error', () => undefined);
      stream.end(body);
    }
    let seen = rowsBefore;
    await until('the worker to have answered', 20_000, async () => {
      const before = seen;
      [seen = 0] = await worker.metrics(ROWS_DONE);
      return (
        seen > rowsBefore && seen === before && (await worker.metric('sextant_inference_pending_rows')) === 0
      );
    });
    await expectServes();
    const grown = (await worker.residentBytes()) - before;
    session.destroy();
    await expectServes();
    printTable('answers that nobody reads', [{ rows: seen - rowsBefore, grownMb: grown / MEGABYTE }]);
    expect(grown).toBeLessThan(250 * MEGABYTE);
  });
});

describe('connections', () => {
  it('1,000 idle ones, half of them without a preface, harm nobody and leave no trace', async () => {
    const handles = async (): Promise<number> => worker.metric('process_open_fds');
    const before = await handles();
    const sockets: Socket[] = Array.from({ length: 1_000 }, (_, i) => {
      const socket = connect(worker.port, '127.0.0.1', () => i % 2 === 0 && socket.write(opened()));
      socket.on('error', () => undefined).resume();
      return socket;
    });
    await until('connections', 20_000, () => sockets.every((socket) => !socket.connecting));
    await expectServes();
    for (const socket of sockets) socket.destroy();
    await until('the worker to let go of them', 10_000, async () => (await handles()) <= before + 5);
    await expectServes();
  });
});
