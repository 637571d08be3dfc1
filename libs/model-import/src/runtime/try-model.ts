import { readFileSync, writeFileSync } from 'node:fs';
import {
  type AdaptedModel,
  adaptScoreModel,
  inspectOnnxFile,
  ModelRefused,
  type OnnxFile,
} from '@sextant/onnx';
import { openOnCpu, type Run, runnerOf } from './model-runner.js';
import { shiftedColumns } from './shifted-columns.js';
import type { TrialOrder, TrialResult } from './trial.js';
import { CheckFailed, Checks, type Report } from './trial-checks.js';

const BATCH_ROWS = 64;
const TIMED_RUNS = 40;
/** Longest time of 64 rows: a page that asks for 50 customers waits for it. */
const MAX_BATCH_MS = 100;

/**
 * Everything that is done with a file made elsewhere: it is read by our own reader first, and by the runtime only when nothing in it
 * speaks against it. Runs in a process of its own with limits, since a runtime can be made to fail in ways that end a process.
 */
export async function tryModel(order: TrialOrder, report: Report): Promise<void> {
  const checks = new Checks(report);
  const bytes = readFileSync(order.file);
  try {
    const file = checks.sync('format', 'a whole ONNX model within the limits', () => {
      const found = inspectOnnxFile(bytes);
      return [found, summary(found)];
    });
    checks.sync('operators', 'operator sets of the runtime, no custom operators', () => [
      null,
      [...file.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', '),
    ]);
    const { columns } = order.contract;
    const adapted = checks.sync('signature', `float [batch, ${columns}] in, a probability out`, () => {
      const plain = adaptScoreModel(file, { ...order.contract, calibration: null });
      const served = adaptScoreModel(file, order.contract);
      return [{ plain, served }, `${plain.source.inputs.join(', ')} in, ${plain.source.output} out`];
    });
    const result = await tryAdapted(checks, order, { file, ...adapted });
    writeFileSync(order.adapted, adapted.served.bytes);
    report({ kind: 'done', result });
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error;
  }
}

interface Candidate {
  file: OnnxFile;
  plain: AdaptedModel;
  served: AdaptedModel;
}

async function tryAdapted(
  checks: Checks,
  { contract, sample, unknown }: TrialOrder,
  { file, plain, served }: Candidate,
): Promise<TrialResult> {
  const { columns, calibration } = contract;
  const cells = floatsOf(sample.cells);
  const { InferenceSession } = await import('onnxruntime-node');
  const open = async (model: AdaptedModel): Promise<Run> =>
    runnerOf(await openOnCpu(InferenceSession, model.bytes), model, columns);
  const [runPlain, run] = await checks.check('opens', 'the runtime opens it', async () => {
    const opened = await open(plain);
    const nodes = `${file.graph.nodes.length} nodes`;
    return [[opened, calibration === null ? opened : await open(served)], nodes];
  });
  const { difference, answers } = await checks.check(
    'sample',
    `at most ${sample.tolerance} from the tool's own answers`,
    () => compare(runPlain, cells, sample),
  );
  const probabilities = await checks.check('range', 'probabilities in [0, 1], of whomever', async () => {
    const served = calibration === null ? answers : await run(cells);
    return inRange(run, served, floatsOf(unknown));
  });
  await checks.check('determinism', 'the same row, the same answer, alone and in company', () =>
    repeat(run, cells, { columns, probabilities }),
  );
  const batchMs = await checks.check('latency', `${BATCH_ROWS} rows in ${MAX_BATCH_MS} ms`, () =>
    timeBatches(run, cells, columns),
  );
  const { opset, inputs, outputs, source } = served;
  return {
    signature: { opset, inputs, outputs, source },
    producer: file.producer,
    largestDifference: difference,
    probabilities: [...probabilities],
    batchMs,
    moved: await shiftedColumns(run, cells, columns),
  };
}

async function compare(
  run: Run,
  cells: Float32Array,
  sample: TrialOrder['sample'],
): Promise<[{ difference: number; answers: Float32Array }, string]> {
  const answers = await run(cells);
  assertProbabilities(answers);
  const found = largestDifference(answers, sample.expected);
  if (found.value > sample.tolerance) throw differs(found, sample, answers);
  return [
    { difference: found.value, answers },
    `${found.value.toExponential(1)} over ${answers.length} rows`,
  ];
}

async function inRange(
  run: Run,
  answers: Float32Array,
  unknown: Float32Array,
): Promise<[Float32Array, string]> {
  assertProbabilities(answers);
  const [stranger = Number.NaN] = await run(unknown).catch((error: unknown) => {
    throw error instanceof ModelRefused && error.code === 'OUTPUT_NOT_FINITE' ? unknownRefused() : error;
  });
  return [
    answers,
    `${least(answers)} to ${most(answers)}, ${stranger.toPrecision(3)} for somebody of whom nothing is known`,
  ];
}

function assertProbabilities(answers: Float32Array): void {
  const outside = answers.findIndex((value) => !(value >= 0 && value <= 1));
  if (outside >= 0) {
    throw new ModelRefused(
      'OUTPUT_OUT_OF_RANGE',
      `row ${outside} of the sample gives ${answers[outside]}: if these are log-odds, say meaning: LOG_ODDS`,
    );
  }
}

function least(values: Float32Array): string {
  return values.reduce((a, b) => Math.min(a, b), 1).toPrecision(3);
}

function most(values: Float32Array): string {
  return values.reduce((a, b) => Math.max(a, b), 0).toPrecision(3);
}

function summary({ bytes, graph, producer }: OnnxFile): string {
  return `${bytes.byteLength.toLocaleString('en')} bytes, ${graph.nodes.length} nodes, by ${producer.slice(0, 40) || 'an unnamed tool'}`;
}

function unknownRefused(): ModelRefused {
  return new ModelRefused(
    'OUTPUT_NOT_FINITE',
    'a customer of whom nothing is known gets no number: give each column a fill, which stands where a value is missing',
  );
}

function largestDifference(
  answers: Float32Array,
  expected: readonly number[],
): { value: number; row: number } {
  let [value, row] = [0, 0];
  for (const [i, answer] of answers.entries()) {
    const difference = Math.abs(answer - (expected[i] ?? Number.NaN));
    if (difference <= value) continue;
    [value, row] = [difference, i];
  }
  return { value, row };
}

function differs(
  found: { value: number; row: number },
  sample: TrialOrder['sample'],
  answers: Float32Array,
): ModelRefused {
  return new ModelRefused(
    'SAMPLE_DIFFERS',
    `row ${found.row} of the sample: expected ${sample.expected[found.row]}, found ${answers[found.row]}, which differ by ${found.value.toExponential(1)}: check the order of the columns, the positive class and the meaning of the output`,
  );
}

async function repeat(
  run: Run,
  cells: Float32Array,
  { columns, probabilities }: { columns: number; probabilities: Float32Array },
): Promise<[null, string]> {
  const again = await run(cells);
  const other = again.findIndex((value, i) => value !== probabilities[i]);
  if (other >= 0) {
    throw new ModelRefused(
      'NOT_DETERMINISTIC',
      `row ${other} of the sample gives ${probabilities[other]}, then ${again[other]}: export without dropout and random operators`,
    );
  }
  const alone = Math.min(16, probabilities.length);
  for (let row = 0; row < alone; row++) {
    const [answer = Number.NaN] = await run(cells.slice(row * columns, (row + 1) * columns));
    const difference = Math.abs(answer - (probabilities[row] ?? 0));
    if (difference <= 1e-5) continue;
    throw new ModelRefused(
      'NOT_DETERMINISTIC',
      `row ${row} of the sample gives ${probabilities[row]} among others and ${answer} alone: rows must not depend on each other (a batch norm in training mode, a softmax over rows)`,
    );
  }
  return [null, `${probabilities.length} rows twice, ${alone} alone`];
}

async function timeBatches(run: Run, cells: Float32Array, columns: number): Promise<[number, string]> {
  const rows = cells.length / columns;
  const batch = new Float32Array(BATCH_ROWS * columns);
  for (let row = 0; row < BATCH_ROWS; row++)
    batch.set(cells.subarray((row % rows) * columns, ((row % rows) + 1) * columns), row * columns);
  const times: number[] = [];
  for (let i = 0; i < TIMED_RUNS; i++) {
    const startedAt = performance.now();
    await run(batch);
    times.push(performance.now() - startedAt);
    if (times.reduce((sum, ms) => sum + ms, 0) > 20 * MAX_BATCH_MS) break;
  }
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  if (median > MAX_BATCH_MS)
    throw new ModelRefused(
      'TIME_EXCEEDED',
      `${BATCH_ROWS} rows take ${median.toFixed(0)} ms, ${MAX_BATCH_MS} ms are allowed`,
    );
  return [median, `${median.toFixed(2)} ms`];
}

function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  const copy = new Uint8Array(bytes);
  return new Float32Array(copy.buffer);
}
