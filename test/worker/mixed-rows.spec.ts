import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values, type RawInput } from './infer-wire.js';
import { printTable } from './print-table.js';
import { referenceRuntime } from './reference-runtime.js';
import {
  aRepository,
  DEEP_INPUTS,
  deepInput,
  isSumOf,
  publishDeep,
  publishSum,
  seeded,
  sumInput,
  type TestRepository,
} from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

/** SEXTANT_WORKER_LONG=1: a hundred thousand. */
const REQUESTS = process.env['SEXTANT_WORKER_LONG'] ? 100_000 : 12_000;
const CALLERS = 256;
const SAMPLED = 200;
const SUMS = [
  { model: 'one.recommend', scale: 1 },
  { model: 'two.recommend', scale: 2 },
  { model: 'three.recommend', scale: 3 },
];
const DEEP = 'deep.price';

let repository: TestRepository;
let worker: WorkerProcess;
let caller: GrpcCaller;
let deepFile: Uint8Array;

beforeAll(async () => {
  repository = await aRepository();
  const { directory } = repository;
  for (const { model, scale } of SUMS)
    await directory.setLiveVersion(model, await publishSum(directory, model, scale));
  const { version, bytes } = await publishDeep(directory, DEEP, { layers: 2, width: 32 });
  deepFile = bytes;
  await directory.setLiveVersion(DEEP, version);
  worker = await startWorkerProcess(repository.root, {
    INFERENCE_THREADS: '2',
    INFERENCE_MAX_BATCH_ROWS: '256',
  });
  caller = new GrpcCaller(worker.address, 8);
});
afterAll(async () => {
  caller?.close();
  await worker?.kill();
  await repository?.remove();
});

type Fate = 'waits' | 'cancels' | 'has no time';
interface Sample {
  input: RawInput;
  answer: Float32Array;
}

const draw = seeded(99);
const samples: Sample[] = [];
const counts = { waits: 0, cancels: 0, 'has no time': 0, answeredAnyway: 0, rows: 0 };
const wrong: string[] = [];

/** Mostly up to 300 rows; some more than one batch holds. */
function rowCount(): number {
  return draw() < 0.05 ? 257 + Math.floor(draw() * 750) : 1 + Math.floor(draw() * 300);
}

function ask(n: number, fate: Fate, model: string, input: RawInput): Promise<Answer> {
  const question = encodeInfer({ model, id: `q${n}`, inputs: [input] });
  const patienceMs = fate === 'cancels' ? draw() * 5 : 0;
  return caller.call(INFER, question, {
    deadlineMs: fate === 'has no time' ? 1 : 60_000,
    ...(fate === 'cancels' ? { onCancel: (cancel: () => void) => setTimeout(cancel, patienceMs) } : {}),
  });
}

async function one(n: number): Promise<void> {
  const lot = draw();
  const fate: Fate = lot < 0.03 ? 'cancels' : lot < 0.06 ? 'has no time' : 'waits';
  const sum = SUMS[Math.floor(draw() * (SUMS.length + 1))];
  const rows = rowCount();
  const first = Math.floor(draw() * 4096);
  const input = sum ? sumInput(rows, first) : deepInput(rows, draw);
  const { status, message, body } = await ask(n, fate, sum?.model ?? DEEP, input);
  counts[fate] += 1;
  if (status !== STATUS.OK) {
    if (fate === 'waits') wrong.push(`${n}: ${status} ${message}`);
    return;
  }
  if (fate !== 'waits') counts.answeredAnyway += 1;
  counts.rows += rows;
  const reply = decodeInfer(body ?? Buffer.alloc(0));
  const answer = float32Values(reply.outputs[0]?.bytes ?? Buffer.alloc(0));
  if (reply.id !== `q${n}`) wrong.push(`${n}: the answer of ${reply.id}`);
  if (sum) {
    if (!isSumOf(answer, rows, { first, scale: sum.scale })) wrong.push(`${n}: rows of somebody else`);
  } else if (answer.length !== rows) wrong.push(`${n}: ${answer.length} values for ${rows} rows`);
  else if (samples.length < SAMPLED) samples.push({ input, answer });
}

describe(`${REQUESTS} mixed requests, ${CALLERS} at a time`, () => {
  it('every caller gets its own rows; cancelled and hopeless calls disturb nobody', async () => {
    const startedAt = performance.now();
    let next = 0;
    const run = async (): Promise<void> => {
      while (next < REQUESTS) await one(next++);
    };
    await Promise.all(Array.from({ length: CALLERS }, run));
    const seconds = (performance.now() - startedAt) / 1000;
    printTable('mixed requests', [
      { ...counts, seconds, rowsPerSecond: counts.rows / seconds, wrong: wrong.length },
    ]);

    expect(wrong.slice(0, 10)).toEqual([]);
    expect(counts.waits).toBeGreaterThan(0.9 * REQUESTS);
    expect(await worker.metric('sextant_inference_pending_rows')).toBe(0);
  }, 600_000);

  it('answers equal those of ONNX Runtime, called directly, within 1e-6', async () => {
    const runtime = await referenceRuntime();
    const rows = samples.map(({ input }) => float32Values(Buffer.from(input.bytes)));
    const expected = await runtime.run(deepFile, rows, DEEP_INPUTS);
    let largest = 0;
    samples.forEach(({ answer }, i) => {
      expect(expected[i]).toHaveLength(answer.length);
      answer.forEach(
        (value, row) => (largest = Math.max(largest, Math.abs(value - (expected[i]?.[row] ?? Number.NaN)))),
      );
    });
    printTable(`parity with ${runtime.name}`, [
      {
        requests: samples.length,
        rows: rows.reduce((sum, each) => sum + each.length / DEEP_INPUTS, 0),
        largest: largest.toExponential(2),
      },
    ]);
    expect(samples.length).toBeGreaterThan(100);
    expect(largest).toBeLessThanOrEqual(1e-6);
  });
});
