import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values } from './infer-wire.js';
import { printTable } from './print-table.js';
import { until } from './until.js';
import {
  aRepository,
  deepInput,
  isSumOf,
  publishDeep,
  publishSum,
  seeded,
  sumInput,
  type TestRepository,
} from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const CALLERS = 32;
const POISON_ROWS = 77;
const LOST = 'sextant_inference_threads_lost_total';

/**
 * Loaded into every thread before the worker's own code: the thread ends, as a fault in native code would end it, with a batch that it
 * has just been given, once for each time the file is written, and for every batch of POISON_ROWS rows.
 */
const FAULT = (file: string): string => `
  const threads = require('node:worker_threads');
  const { unlinkSync } = require('node:fs');
  const isWanted = () => { try { unlinkSync(${JSON.stringify(file)}); return true; } catch { return false; } };
  if (threads.isMainThread) {
    threads.Worker = class extends threads.Worker {
      constructor(entry, options) { super(entry, { ...options, execArgv: ['--require', __filename] }); }
    };
    require('node:module').syncBuiltinESMExports();
  } else threads.parentPort.on('message', ({ kind, job }) => {
    if (kind === 'run' && (job.rows === ${POISON_ROWS} || isWanted())) process.exit(3);
  });
`;

let repository: TestRepository;
let worker: WorkerProcess;
let caller: GrpcCaller;
let faultFile: string;

beforeEach(async () => {
  repository = await aRepository();
  const { directory, root } = repository;
  await directory.setLiveVersion('sum.recommend', await publishSum(directory, 'sum.recommend'));
  await directory.setLiveVersion(
    'deep.price',
    (await publishDeep(directory, 'deep.price', { layers: 20, width: 256 })).version,
  );
  faultFile = join(root, '.fault');
  const script = join(root, '.fault.cjs');
  await writeFile(script, FAULT(faultFile));
  worker = await startWorkerProcess(
    root,
    { INFERENCE_THREADS: '2', INFERENCE_INLINE_MS: '0', INFERENCE_MAX_BATCH_ROWS: '77' },
    { nodeFlags: ['--require', script] },
  );
  caller = new GrpcCaller(worker.address, 4);
});
afterEach(async () => {
  caller?.close();
  await worker?.kill();
  await repository?.remove();
});

async function load(
  atLeast: number,
  meanwhile: (calls: () => number) => Promise<void>,
): Promise<{ calls: number; failed: string[]; longestMs: number }> {
  const draw = seeded(1);
  const tally = { calls: 0, failed: [] as string[], longestMs: 0 };
  let isBusy = true;
  const one = async (): Promise<void> => {
    const n = (tally.calls += 1);
    const isDeep = n % 4 === 0;
    const first = Math.floor(draw() * 4096);
    const question = isDeep
      ? { model: 'deep.price', inputs: [deepInput(3, draw)] }
      : { model: 'sum.recommend', inputs: [sumInput(3, first)] };
    const { status, message, body, tookMs } = await caller.call(INFER, encodeInfer(question), {
      deadlineMs: 20_000,
    });
    tally.longestMs = Math.max(tally.longestMs, tookMs);
    const answer = float32Values(decodeInfer(body ?? Buffer.alloc(0)).outputs[0]?.bytes ?? Buffer.alloc(0));
    if (status !== STATUS.OK) tally.failed.push(`${n}: ${status} ${message}`);
    else if (isDeep ? answer.length !== 3 : !isSumOf(answer, 3, { first }))
      tally.failed.push(`${n}: wrong rows`);
  };
  const run = async (): Promise<void> => {
    while (isBusy || tally.calls < atLeast) await one();
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, run));
  await meanwhile(() => tally.calls).finally(() => (isBusy = false));
  await callers;
  return tally;
}

describe('a thread that ends under its batch', () => {
  it('costs the batch one retry and nobody an answer; another thread takes its place', async () => {
    const tally = await load(6_000, async (calls) => {
      for (let crash = 1; crash <= 4; crash += 1) {
        await writeFile(faultFile, '');
        await until('the loss of a thread', 20_000, async () => (await worker.metric(LOST)) === crash);
        const seen = calls();
        await until('1,000 more calls', 30_000, () => calls() > seen + 1_000);
      }
    });
    printTable('four threads lost', [{ ...tally, failed: tally.failed.length }]);

    expect(tally.failed.slice(0, 5)).toEqual([]);
    expect(await worker.metric(LOST)).toBe(4);
    expect(worker.isAlive()).toBe(true);
  });

  it('and again with the next: that batch is given up, the others are served', async () => {
    const poison = encodeInfer({ model: 'sum.recommend', inputs: [sumInput(POISON_ROWS, 1)] });
    const statuses: number[] = [];
    // A model whose batches are shorter than the poison takes it alone.
    const tally = await load(3_000, async () => {
      for (let i = 0; i < 3; i += 1) {
        const lost = await worker.metric(LOST);
        const { status, message } = await caller.call(INFER, poison, { deadlineMs: 20_000 });
        statuses.push(status);
        expect(message).not.toMatch(/\.js|exit|code 3/);
        await until('the loss of two threads', 20_000, async () => (await worker.metric(LOST)) >= lost + 2);
      }
    });
    printTable('three poisonous batches', [
      { ...tally, failed: tally.failed.length, statuses: statuses.join(' ') },
    ]);

    expect(statuses).toEqual([STATUS.INTERNAL, STATUS.INTERNAL, STATUS.INTERNAL]);
    expect(tally.failed.slice(0, 5)).toEqual([]);
    expect(
      (
        await caller.call(INFER, encodeInfer({ model: 'sum.recommend', inputs: [sumInput(2, 1)] }), {
          deadlineMs: 20_000,
        })
      ).status,
    ).toBe(STATUS.OK);
  });
});
