import protobuf from 'protobufjs';
import { afterEach, describe, expect, it } from 'vitest';
import { GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values, tag, WIRE } from './infer-wire.js';
import { printTable } from './print-table.js';
import { until } from './until.js';
import { aRepository, isSumOf, publishSum, seeded, sumInput, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const CALLS = 10_000;
const CALLERS = 48;
const MODEL = 'moving.recommend';

let repository: TestRepository;
let worker: WorkerProcess;
let caller: GrpcCaller;

async function start(env: Record<string, string> = {}, models: readonly string[] = [MODEL]): Promise<void> {
  repository = await aRepository();
  for (const model of models)
    await repository.directory.setLiveVersion(model, await publishSum(repository.directory, model, 1));
  worker = await startWorkerProcess(repository.root, { INFERENCE_THREADS: '2', ...env });
  caller = new GrpcCaller(worker.address, 4);
}

afterEach(async () => {
  caller.close();
  await worker.kill();
  await repository.remove();
});

interface Tally {
  calls: number;
  failed: string[];
  /** answers by version */
  versions: Record<string, number>;
  longestMs: number;
}

/** Calls from many callers until both are over; every answer must be of the version that it names: version v multiplies by v. */
async function load(
  models: readonly string[],
  atLeast: number,
  meanwhile: (tally: Tally) => Promise<void>,
): Promise<Tally> {
  const draw = seeded(5);
  const tally: Tally = { calls: 0, failed: [], versions: {}, longestMs: 0 };
  let isBusy = true;
  const one = async (): Promise<void> => {
    const n = (tally.calls += 1);
    const [rows, first] = [1 + Math.floor(draw() * 20), Math.floor(draw() * 4096)];
    const model = models[n % models.length] ?? MODEL;
    const question = encodeInfer({ model, id: `k${n}`, inputs: [sumInput(rows, first)] });
    const { status, message, body, tookMs } = await caller.call(INFER, question, { deadlineMs: 20_000 });
    tally.longestMs = Math.max(tally.longestMs, tookMs);
    if (status !== STATUS.OK) return void tally.failed.push(`${n} ${model}: ${status} ${message}`);
    const { version, outputs } = decodeInfer(body ?? Buffer.alloc(0));
    tally.versions[version] = (tally.versions[version] ?? 0) + 1;
    const answer = float32Values(outputs[0]?.bytes ?? Buffer.alloc(0));
    if (!isSumOf(answer, rows, { first, scale: Number(version) }))
      tally.failed.push(`${n}: not the answer of version ${version}`);
  };
  const run = async (): Promise<void> => {
    while (isBusy || tally.calls < atLeast) await one();
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, run));
  await meanwhile(tally).finally(() => (isBusy = false));
  await callers;
  return tally;
}

/** Waits until so many more answers came, while the callers go on. */
async function answers(count: number, tally: Tally): Promise<void> {
  const target = tally.calls + count;
  while (tally.calls < target) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Waits for an answer of a version. */
async function servedBy(version: number, tally: Tally): Promise<void> {
  const deadline = performance.now() + 20_000;
  const before = tally.versions[version] ?? 0;
  while ((tally.versions[version] ?? 0) <= before) {
    if (performance.now() > deadline)
      throw new Error(`version ${version} did not answer; ${JSON.stringify(tally)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe(`of at least ${CALLS} calls none fails`, () => {
  it('while ten new versions take over, each answer of one version throughout', async () => {
    await start();
    const tally = await load([MODEL], CALLS, async (seen) => {
      for (let version = 2; version <= 11; version += 1) {
        await repository.directory.setLiveVersion(
          MODEL,
          await publishSum(repository.directory, MODEL, version),
        );
        await servedBy(version, seen);
        await answers(CALLS / 12, seen);
      }
    });
    printTable('swap', [{ ...tally, versions: JSON.stringify(tally.versions) }]);

    expect(tally.failed.slice(0, 5)).toEqual([]);
    expect(tally.calls).toBeGreaterThanOrEqual(CALLS);
    expect(Object.keys(tally.versions)).toHaveLength(11);
  });

  it('while a canary comes, grows, takes over, and goes', async () => {
    await start();
    const { directory } = repository;
    const second = await publishSum(directory, MODEL, 2);
    const shares: Record<string, number> = {};
    const tally = await load([MODEL], CALLS, async (seen) => {
      for (const share of [0.1, 0.5, 0]) {
        await directory.setServing(MODEL, share === 0 ? {} : { canary: { version: second, share } });
        const shareOfNext = async (count: number): Promise<number> => {
          const before = { ...seen.versions };
          await answers(count, seen);
          const gained = (version: number): number => (seen.versions[version] ?? 0) - (before[version] ?? 0);
          return gained(second) / (gained(1) + gained(second));
        };
        // The worker looks at the repository every 50 ms.
        await until(
          `a share of ${share}`,
          20_000,
          async () => Math.abs((await shareOfNext(400)) - share) < 0.08,
        );
        shares[share] = await shareOfNext(3_000);
      }
    });
    printTable('canary', [
      { ...tally, versions: JSON.stringify(tally.versions), shares: JSON.stringify(shares) },
    ]);

    expect(tally.failed.slice(0, 5)).toEqual([]);
    expect(tally.calls).toBeGreaterThanOrEqual(CALLS);
    expect(shares[0.1]).toBeCloseTo(0.1, 1);
    expect(shares[0.5]).toBeCloseTo(0.5, 1);
    expect(shares[0]).toBe(0);
  });

  it('while idle versions leave memory and come back with the next call', async () => {
    const others = Array.from({ length: 6 }, (_, i) => `idle${i}.recommend`);
    await start({ MODEL_IDLE_UNLOAD_MS: '100' }, [MODEL, ...others]);
    const failed: string[] = [];
    let visits = 0;
    const tally = await load([MODEL], CALLS, async () => {
      for (let round = 0; round < 3; round += 1) {
        const unloads = (): number => worker.output().split('model version unloaded').length - 1;
        await until('all idle versions to leave', 20_000, () => unloads() >= (round + 1) * others.length);
        const visit = async (model: string): Promise<void> => {
          visits += 1;
          const { status, message } = await caller.call(
            INFER,
            encodeInfer({ model, inputs: [sumInput(2, 1)] }),
            { deadlineMs: 20_000 },
          );
          if (status !== STATUS.OK) failed.push(`${model}: ${status} ${message}`);
        };
        await Promise.all(others.flatMap((model) => [visit(model), visit(model), visit(model)]));
      }
    });
    printTable('idle unload', [{ calls: tally.calls, visits, longestMs: tally.longestMs }]);

    expect(tally.failed.slice(0, 5)).toEqual([]);
    expect(failed).toEqual([]);
  });

  it('while another model is loaded and unloaded by call; its own calls are answered or told that it is gone', async () => {
    const other = 'other.recommend';
    await start({ MODEL_CONTROL_MODE: 'explicit' }, [MODEL, other]);
    const control = async (rpc: string, model: string): Promise<void> => {
      const request = protobuf.Writer.create().uint32(tag(2, WIRE.bytes)).string(model).finish();
      const { status, message } = await caller.call(`/inference.GRPCInferenceService/${rpc}`, request, {
        deadlineMs: 20_000,
      });
      if (status !== STATUS.OK) throw new Error(`${rpc}: ${status} ${message}`);
    };
    await control('RepositoryModelLoad', MODEL);
    const others: Record<number, number> = {};
    const wrong: string[] = [];
    const askOther = async (): Promise<void> => {
      const question = encodeInfer({ model: other, inputs: [sumInput(2, 1)] });
      const { status, message, body } = await caller.call(INFER, question, { deadlineMs: 20_000 });
      others[status] = (others[status] ?? 0) + 1;
      const answer = float32Values(decodeInfer(body ?? Buffer.alloc(0)).outputs[0]?.bytes ?? Buffer.alloc(0));
      const isRight =
        status === STATUS.OK
          ? isSumOf(answer, 2, { first: 1 })
          : status === STATUS.NOT_FOUND || status === STATUS.UNAVAILABLE;
      if (!isRight) wrong.push(`${status} ${message}`);
    };
    const tally = await load([MODEL], CALLS, async () => {
      for (let cycle = 0; cycle < 20; cycle += 1) {
        await control('RepositoryModelLoad', other);
        await askOther();
        const asked = Array.from({ length: 40 }, askOther);
        await Promise.all([
          control('RepositoryModelUnload', other),
          ...asked,
          ...Array.from({ length: 10 }, askOther),
        ]);
      }
    });
    printTable('loaded and unloaded by call', [{ ...tally, versions: '', others: JSON.stringify(others) }]);

    expect(tally.failed.slice(0, 5)).toEqual([]);
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(others[STATUS.OK]).toBeGreaterThan(20);
  });
});
