import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, GrpcCaller, INFER, LIVE, STATUS } from './grpc-caller.js';
import { encodeInfer } from './infer-wire.js';
import { closedLoop, type LoadReport, openLoop, quantilesOf, slopeOf, withOwnStall } from './open-loop.js';
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
const ATTEMPTS = 3;
const BATCH_ROWS = 8;
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
    INFERENCE_MAX_BATCH_ROWS: String(BATCH_ROWS),
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

/** Calls that cost the worker nothing, while the load lasts: what client, transport and machine take of every answer's time. */
async function floorDuring<T>(load: Promise<T>): Promise<{ p50: number; p99: number; longest: number }> {
  const tookMs: number[] = [];
  let isOver = false;
  void load.finally(() => (isOver = true));
  while (!isOver) {
    tookMs.push((await caller.call(LIVE, Buffer.alloc(0), { deadlineMs: 10_000 })).tookMs);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return quantilesOf(tookMs);
}

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

/** What is wrong with an overload of the dear model; empty when nothing is. */
async function dearOverload(): Promise<string[]> {
  await closedLoop({ callers: 24, seconds: 1, call: () => dear(30_000) });
  const measured = await closedLoop({ callers: 24, seconds: 3, call: () => dear(30_000) });
  const capacity = measured.ok / measured.seconds;
  // On a slow machine one batch may take most of half a second.
  const deadlineMs = Math.max(DEADLINE_MS, (8 * 1000 * BATCH_ROWS) / capacity);
  const load = overload(() => dear(deadlineMs), 2 * capacity);
  const floorMs = await floorDuring(load);
  const { report, ownStallMs, memory, growth } = await load;
  const recoveredMs = await recovery(() => dear(deadlineMs), deadlineMs / 2);
  const grownMb = (memory.at(-1)?.[1] ?? 0) - (memory[0]?.[1] ?? 0);
  print('dear model, twice its capacity', report, {
    capacityPerSecond: capacity,
    deadlineMs,
    floorMs: JSON.stringify(floorMs),
    goodputShare: report.ok / report.seconds / capacity,
    ownStallMs,
    recoveredMs,
    memoryMb: memory.at(-1)?.[1],
    slopeMbPerMinute: growth.slope * 60,
    slopeError: growth.error * 60,
  });
  const { ok, late, refused, sent, seconds, okMs, refusedMs, other } = report;
  const claims: Record<string, boolean> = {
    'answers and refusals, nothing else': Object.keys(other).length === 0,
    'it was an overload': refused > 0.25 * sent,
    'most of the capacity is used': ok / seconds > 0.6 * capacity,
    'accepted calls keep their deadline at p99': late <= 0.01 * (ok + late) && okMs.p99 <= deadlineMs,
    // Hardly later than an answer that costs nothing, whatever else the machine does.
    'refusals come at once':
      refusedMs.p50 <= Math.max(10, floorMs.p50 + 5) && refusedMs.p99 <= Math.max(10, floorMs.longest + 10),
    'it recovers in a second': recoveredMs <= 1_000,
    'memory stays': grownMb < 64,
  };
  return Object.keys(claims).filter((claim) => !claims[claim]);
}

/** Time until a call is answered within `calmMs`, milliseconds. */
function recovery(call: () => Promise<Answer>, calmMs: number): Promise<number> {
  const endedAt = performance.now();
  return until('a calm answer', 10_000, async () => {
    const { status, tookMs } = await call();
    return status === STATUS.OK && tookMs < calmMs ? performance.now() - endedAt : undefined;
  });
}

describe('twice the load that the worker can carry', () => {
  it('of a model that is dear: accepted calls keep their deadline, the rest are refused at once, and a second later all is well', async () => {
    let faults = ['not tried'];
    // Neighbours on the machine change its capacity while it is loaded; what the worker does wrong it does every time.
    for (let attempt = 0; attempt < ATTEMPTS && faults.length > 0; attempt += 1)
      faults = await dearOverload();
    expect(faults).toEqual([]);
  }, 400_000);

  it('of a model that is so cheap that the transport is what limits: no connection is lost, memory is bounded, it recovers', async () => {
    await closedLoop({ callers: 64, seconds: 1, call: () => tiny(30_000) });
    const measured = await closedLoop({ callers: 64, seconds: 3, call: () => tiny(30_000) });
    const capacity = measured.ok / measured.seconds;
    const { report, ownStallMs, memory, growth } = await overload(() => tiny(), 2 * capacity);
    const recoveredMs = await recovery(() => tiny(), DEADLINE_MS / 4);
    print('cheap model, twice what client and server carry together', report, {
      capacityPerSecond: capacity,
      goodputShare: report.ok / report.seconds / capacity,
      ownStallMs,
      recoveredMs,
      memoryMb: memory.at(-1)?.[1],
      slopeMbPerMinute: growth.slope * 60,
      slopeError: growth.error * 60,
    });

    expect(report.other).toEqual({});
    expect(recoveredMs).toBeLessThanOrEqual(1_000);
    expect(await worker.residentBytes()).toBeLessThan(1024 * MEGABYTE);
  });
});
