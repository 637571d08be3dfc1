import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { createDecisionsClient, type DecisionsClient } from '@sextant/inference-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INFER } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values } from './infer-wire.js';
import { quantilesOf } from './open-loop.js';
import { printTable } from './print-table.js';
import { until } from './until.js';
import {
  aRepository,
  isSumOf,
  publishSum,
  SUM_WIDTH,
  sumInput,
  type TestRepository,
} from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const CALLS = 10_000;
const CALLERS = 32;
const MODEL = 'shop.recommend';
const GRACE_MS = 10_000;

let repository: TestRepository;
let workers: WorkerProcess[];
let client: DecisionsClient;

beforeEach(async () => {
  repository = await aRepository();
  await repository.directory.setLiveVersion(MODEL, await publishSum(repository.directory, MODEL));
  const start = (): Promise<WorkerProcess> =>
    startWorkerProcess(repository.root, { INFERENCE_THREADS: '1', SHUTDOWN_GRACE_MS: String(GRACE_MS) });
  workers = await Promise.all([start(), start()]);
  client = createDecisionsClient({ address: workers.map(({ address }) => address).join(',') });
});
afterEach(async () => {
  await client.close();
  await Promise.all(workers.map((worker) => worker.kill()));
  await repository.remove();
});

interface Tally {
  calls: number;
  failed: string[];
  tookMs: number[];
}

/** One right answer, or what is wrong. */
type Ask = () => Promise<string>;

async function askLibrary(): Promise<string> {
  const rows = [{ history: ['i0'], first: SUM_WIDTH }];
  const { slates } = await client.recommend({ model: MODEL, rows }, { deadlineMs: 5_000 });
  const scores = JSON.stringify(slates[0]?.items.map(({ score }) => score));
  return scores === '[4,3,2,1]' ? '' : `answered ${scores}`;
}

const QUESTION = encodeInfer({ model: MODEL, inputs: [sumInput(3, 9)] });
const asIs = (bytes: Buffer): Buffer => bytes;

function askThrough(plain: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, body?: Buffer): void => {
      if (error) return reject(error);
      const answer = float32Values(decodeInfer(body ?? Buffer.alloc(0)).outputs[0]?.bytes ?? Buffer.alloc(0));
      resolve(isSumOf(answer, 3, { first: 9 }) ? '' : 'answered something else');
    };
    plain.makeUnaryRequest(INFER, asIs, asIs, QUESTION, { deadline: Date.now() + 5_000 }, done);
  });
}

async function load(ask: Ask, atLeast: number, meanwhile: (tally: Tally) => Promise<void>): Promise<Tally> {
  const tally: Tally = { calls: 0, failed: [], tookMs: [] };
  let isBusy = true;
  const one = async (): Promise<void> => {
    tally.calls += 1;
    const startedAt = performance.now();
    try {
      const fault = await ask();
      if (fault) tally.failed.push(fault);
    } catch (error) {
      tally.failed.push(String(error));
    }
    tally.tookMs.push(performance.now() - startedAt);
  };
  const run = async (): Promise<void> => {
    while (isBusy || tally.calls < atLeast) await one();
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, run));
  await meanwhile(tally).finally(() => (isBusy = false));
  await callers;
  return tally;
}

const more = (count: number, tally: Tally): Promise<unknown> => {
  const target = tally.calls + count;
  return until(`${count} more calls`, 60_000, () => tally.calls >= target);
};

async function replace(index: number): Promise<void> {
  const old = workers[index];
  if (!old) throw new RangeError('no such worker');
  workers[index] = await startWorkerProcess(repository.root, {
    PORT: String(old.port),
    METRICS_PORT: String(old.operationsPort),
    INFERENCE_THREADS: '1',
    SHUTDOWN_GRACE_MS: String(GRACE_MS),
  });
}

/** As in a rollout: the next one goes when this one has its share. */
async function takesPart(index: number): Promise<void> {
  await until('calls at the replacement', 30_000, async () => {
    const page = (await (await workers[index]?.get('/metrics'))?.text()) ?? '';
    const counts = page
      .split('\n')
      .filter((line) => /^sextant_inference_requests_total\{.*code="OK"/.test(line));
    return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0) > 200;
  });
}

describe('two workers', () => {
  const plainClient = (): Client =>
    new Client(`ipv4:${workers.map(({ address }) => address).join(',')}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    });

  it.each(['the client library', 'a plain gRPC client'])(
    `a rolling restart by SIGTERM, each twice: of ${CALLS} calls of %s none fails, each process ends by itself with 0`,
    async (who) => {
      const plain = plainClient();
      const exits: unknown[] = [];
      const ask = who === 'the client library' ? askLibrary : () => askThrough(plain);
      const tally = await load(ask, CALLS, async (seen) => {
        for (const index of [0, 1, 0, 1]) {
          await more(1_500, seen);
          const startedAt = performance.now();
          exits.push(await workers[index]?.terminate());
          expect(performance.now() - startedAt).toBeLessThan(GRACE_MS);
          await replace(index);
          await takesPart(index);
        }
      });
      plain.close();
      printTable(`rolling restart, ${who}`, [
        { calls: tally.calls, failed: tally.failed.length, ...quantilesOf(tally.tookMs) },
      ]);

      expect(exits).toEqual([
        [0, null],
        [0, null],
        [0, null],
        [0, null],
      ]);
      expect(tally.failed.slice(0, 5)).toEqual([]);
      expect(tally.calls).toBeGreaterThanOrEqual(CALLS);
    },
  );

  it('one is killed without warning and comes back: the calls that it had are all that can fail', async () => {
    const failures: number[] = [];
    const tally = await load(askLibrary, CALLS, async (seen) => {
      await more(2_000, seen);
      await workers[0]?.kill();
      await more(3_000, seen);
      failures.push(seen.failed.length);
      await replace(0);
      await takesPart(0);
    });
    printTable('SIGKILL', [
      { calls: tally.calls, failed: tally.failed.length, ...quantilesOf(tally.tookMs) },
    ]);

    expect(tally.failed.length).toBeLessThanOrEqual(CALLERS);
    expect(tally.failed.length).toBe(failures[0]);
  });
});
