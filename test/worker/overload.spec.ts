import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { encodeInfer } from './infer-wire.js';
import { closedLoop, type LoadReport, openLoop, slopeOf, withOwnStall } from './open-loop.js';
import { printTable } from './print-table.js';
import { until } from './until.js';
import {
  aRepository,
  deepInput,
  publishDeep,
  publishSum,
  seeded,
  sumInput,
  type TestRepository,
} from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

/** SEXTANT_WORKER_LONG=1: a minute of overload instead of seconds. */
const SECONDS = process.env['SEXTANT_WORKER_LONG'] ? 60 : 8;
const MEGABYTE = 1024 * 1024;
const DEADLINE_MS = 500;

let repository: TestRepository;
let worker: WorkerProcess;
let caller: GrpcCaller;

beforeAll(async () => {
  repository = await aRepository();
  const { directory } = repository;
  // Several ms of one core a row, even in a batch: what limits is the model, not the transport.
  await directory.setLiveVersion(
    'dear.price',
    (await publishDeep(directory, 'dear.price', { layers: 480, width: 1024 })).version,
  );
  await directory.setLiveVersion('tiny.recommend', await publishSum(directory, 'tiny.recommend'));
  worker = await startWorkerProcess(repository.root, {
    INFERENCE_THREADS: '1',
    INFERENCE_MAX_BATCH_ROWS: '8',
  });
  caller = new GrpcCaller(worker.address, 4);
});
afterAll(async () => {
  caller?.close();
  await worker?.kill();
  await repository?.remove();
});

const DEAR = encodeInfer({ model: 'dear.price', inputs: [deepInput(1, seeded(1))] });
const TINY = encodeInfer({ model: 'tiny.recommend', inputs: [sumInput(1, 1)] });
const dear = (deadlineMs = DEADLINE_MS): Promise<Answer> => caller.call(INFER, DEAR, { deadlineMs });
const tiny = (deadlineMs = DEADLINE_MS): Promise<Answer> => caller.call(INFER, TINY, { deadlineMs });

async function overload(call: () => Promise<Answer>, perSecond: number) {
  const memory: [seconds: number, megabytes: number][] = [];
  const startedAt = performance.now();
  const onSecond = async (): Promise<void> => {
    const bytes = await worker.residentBytes().catch(() => Number.NaN);
    if (Number.isFinite(bytes)) memory.push([(performance.now() - startedAt) / 1000, bytes / MEGABYTE]);
  };
  const { result, ownStallMs } = await withOwnStall(() =>
    openLoop({ perSecond, seconds: SECONDS, call, onSecond }),
  );
  // The first seconds fill what stays filled.
  const settled = memory.slice(Math.min(3, memory.length >> 1));
  return { report: result, ownStallMs, memory: settled, growth: slopeOf(settled) };
}

function print(title: string, report: LoadReport, more: object): void {
  const { okMs, refusedMs, clientDelayMs, other, ...counts } = report;
  printTable(title, [
    counts,
    {
      okMs: JSON.stringify(okMs),
      refusedMs: JSON.stringify(refusedMs),
      clientDelayMs: JSON.stringify(clientDelayMs),
    },
    more,
    other,
  ]);
}

describe('twice the load that the worker can carry', () => {
  it('of a model that is dear: accepted calls keep their deadline, the rest are refused at once, and a second later all is well', async () => {
    await closedLoop({ callers: 24, seconds: 1, call: () => dear(30_000) });
    const measured = await closedLoop({ callers: 24, seconds: 3, call: () => dear(30_000) });
    const capacity = measured.ok / measured.seconds;
    const { report, ownStallMs, memory, growth } = await overload(() => dear(), 2 * capacity);
    const endedAt = performance.now();
    const recovered = await until('a calm answer', 10_000, async () => {
      const { status, tookMs } = await dear();
      return status === STATUS.OK && tookMs < DEADLINE_MS / 4 ? performance.now() - endedAt : undefined;
    });
    print('dear model, twice its capacity', report, {
      capacityPerSecond: capacity,
      goodputShare: report.ok / report.seconds / capacity,
      ownStallMs,
      recoveredMs: recovered,
      memoryMb: memory.at(-1)?.[1],
      slopeMbPerMinute: growth.slope * 60,
      slopeError: growth.error * 60,
    });

    expect(report.other).toEqual({});
    expect(report.refused).toBeGreaterThan(0.25 * report.sent);
    expect(report.ok / report.seconds).toBeGreaterThan(0.6 * capacity);
    expect(report.late).toBeLessThanOrEqual(0.01 * (report.ok + report.late));
    expect(report.okMs.p99).toBeLessThanOrEqual(DEADLINE_MS);
    expect(report.refusedMs.p50).toBeLessThanOrEqual(10);
    expect(recovered).toBeLessThanOrEqual(1_000);
    expect((memory.at(-1)?.[1] ?? 0) - (memory[0]?.[1] ?? 0)).toBeLessThan(64);
  });

  it('of a model that is so cheap that the transport is what limits: nothing breaks, memory stays, it recovers', async () => {
    await closedLoop({ callers: 64, seconds: 1, call: () => tiny(30_000) });
    const measured = await closedLoop({ callers: 64, seconds: 3, call: () => tiny(30_000) });
    const capacity = measured.ok / measured.seconds;
    const { report, ownStallMs, memory, growth } = await overload(() => tiny(), 2 * capacity);
    const endedAt = performance.now();
    const recovered = await until('a calm answer', 10_000, async () => {
      const { status, tookMs } = await tiny();
      return status === STATUS.OK && tookMs < DEADLINE_MS / 4 ? performance.now() - endedAt : undefined;
    });
    print('cheap model, twice what client and server carry together', report, {
      capacityPerSecond: capacity,
      goodputShare: report.ok / report.seconds / capacity,
      ownStallMs,
      recoveredMs: recovered,
      memoryMb: memory.at(-1)?.[1],
      slopeMbPerMinute: growth.slope * 60,
      slopeError: growth.error * 60,
    });

    expect(report.other).toEqual({});
    expect(recovered).toBeLessThanOrEqual(1_000);
    expect(await worker.residentBytes()).toBeLessThan(1024 * MEGABYTE);
  });
});
