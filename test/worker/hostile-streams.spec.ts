import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, INFER, STATUS } from './grpc-caller.js';
import { encodeInfer, grpcFrame } from './infer-wire.js';
import { printTable } from './print-table.js';
import { QUESTION, type QuickWorker, startQuickWorker } from './quick-worker.js';
import { until } from './until.js';
import { sumInput } from './worker-models.js';

const MEGABYTE = 1024 * 1024;
const ROWS_DONE = 'sextant_inference_batch_rows_sum{model="quick.recommend",program="score"}';
const CALL_HEADERS = {
  ':method': 'POST',
  ':path': INFER,
  'content-type': 'application/grpc',
  te: 'trailers',
};

let quick: QuickWorker;

beforeAll(async () => {
  quick = await startQuickWorker();
});
afterAll(() => quick?.stop());

describe('streams that do not end', () => {
  it('headers and nothing more: the deadline ends them', async () => {
    const session = connectHttp2(`http://${quick.worker.address}`);
    const answers = Array.from({ length: 150 }, () =>
      answerOf(session.request({ ...CALL_HEADERS, 'grpc-timeout': '500m' }, { endStream: false })),
    );
    await quick.expectServes();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    session.destroy();
    expect(new Set(statuses)).toEqual(new Set([STATUS.DEADLINE_EXCEEDED]));
  });

  it('half a message, then nothing, and a byte now and then: the deadline ends them', async () => {
    const session = connectHttp2(`http://${quick.worker.address}`);
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
    await quick.expectServes();
  });

  it('a message in single bytes is a message all the same', async () => {
    const session = connectHttp2(`http://${quick.worker.address}`);
    const stream = session.request(CALL_HEADERS, { endStream: false });
    for (const byte of grpcFrame(QUESTION)) stream.write(Buffer.from([byte]));
    stream.end();
    expect((await answerOf(stream)).status).toBe(STATUS.OK);
    session.destroy();
  });

  it('without a deadline: 20,000 open streams cost bounded memory and others are served', async () => {
    const before = await quick.worker.residentBytes();
    const session = connectHttp2(`http://${quick.worker.address}`);
    session.setMaxListeners(0);
    session.on('error', () => undefined);
    let refused = 0;
    await once(session, 'connect');
    await once(session, 'remoteSettings');
    for (let i = 0; i < 20_000; i += 1) {
      const stream = session.request(CALL_HEADERS, { endStream: false });
      stream.on('error', () => (refused += 1));
    }
    await quick.expectServes();
    const grown = (await quick.worker.residentBytes()) - before;
    const limit = session.remoteSettings.maxConcurrentStreams;
    session.destroy();
    printTable('20,000 open streams on one connection', [
      { grownMb: grown / MEGABYTE, refused, limit: limit ?? null },
    ]);
    await quick.expectServes();
    expect(grown).toBeLessThan(250 * MEGABYTE);
  });

  it('rapid reset: 20,000 streams opened and cancelled', async () => {
    const before = await quick.worker.residentBytes();
    const session = connectHttp2(`http://${quick.worker.address}`);
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
        longest = Math.max(
          longest,
          (await quick.caller.call(INFER, QUESTION, { deadlineMs: 10_000 })).tookMs,
        );
    }
    await quick.expectServes();
    session.destroy();
    await quick.expectServes();
    const grown = (await quick.worker.residentBytes()) - before;
    printTable('rapid reset', [{ longestHonestCallMs: longest, grownMb: grown / MEGABYTE }]);
    expect(grown).toBeLessThan(250 * MEGABYTE);
  });

  it('a client that cancels 200 calls a second keeps its connection', async () => {
    const session = connectHttp2(`http://${quick.worker.address}`);
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
    const rowsBefore = (await quick.worker.metric(ROWS_DONE)) || 0;
    const before = await quick.worker.residentBytes();
    const session = connectHttp2(`http://${quick.worker.address}`, { settings: { initialWindowSize: 0 } });
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
      [seen = 0] = await quick.worker.metrics(ROWS_DONE);
      return (
        seen > rowsBefore &&
        seen === before &&
        (await quick.worker.metric('sextant_inference_pending_rows')) === 0
      );
    });
    await quick.expectServes();
    const grown = (await quick.worker.residentBytes()) - before;
    session.destroy();
    await quick.expectServes();
    printTable('answers that nobody reads', [{ rows: seen - rowsBefore, grownMb: grown / MEGABYTE }]);
    expect(grown).toBeLessThan(250 * MEGABYTE);
  });
});
