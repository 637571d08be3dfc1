import type { Gate, Manifest, Measured, ModelCard } from '@sextant/artefacts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OpenedVersion, ParityProbe } from './model-evidence.js';
import { notApplicable } from './quality-gates.js';

const SESSION = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 };
/** Decisions have 200 ms for everything; a model that takes a quarter of that alone is too slow. */
const MOST_MS = 50;
/** Below this nobody notices whether a row takes twice as long. */
const UNNOTICED_MS = 2;
const MOST_TIMES_SLOWER = 2;
const WARM_UP_RUNS = 20;
const TIMED_RUNS = 200;

/** The published file, read again, answers what the fitted model answers. */
export async function parityGate({ onnx }: OpenedVersion, probe: ParityProbe): Promise<Gate> {
  const required = `the published file within ${probe.tolerance} of the fitted model in ONNX Runtime`;
  const worst = await worstDifference(onnx, probe);
  const observed =
    worst === null
      ? `answers another shape than the fitted model for ${probe.rows} rows`
      : `largest difference ${worst.toExponential(1)} on ${probe.rows} rows`;
  return {
    name: 'onnx-parity',
    required,
    observed,
    passed: worst !== null && worst <= probe.tolerance,
  };
}

async function worstDifference(
  onnx: Uint8Array,
  { input, rows, expected }: ParityProbe,
): Promise<number | null> {
  const session = await InferenceSession.create(onnx, SESSION);
  try {
    const [name = '', output = ''] = [session.inputNames[0], session.outputNames[0]];
    const shape = [rows, input.length / rows];
    const tensor =
      input instanceof Float32Array
        ? new Tensor('float32', input, shape)
        : new Tensor('float64', input, shape);
    const actual = (await session.run({ [name]: tensor }))[output]?.data;
    if (!(actual instanceof Float32Array || actual instanceof Float64Array)) return null;
    if (actual.length !== expected.length) return null;
    return Array.from(expected).reduce(
      (worst, value, i) => Math.max(worst, difference(value, actual[i] ?? 0)),
      0,
    );
  } finally {
    await session.release();
  }
}

function difference(expected: number, actual: number): number {
  if (Number.isNaN(expected)) return Number.isNaN(actual) ? 0 : Infinity;
  return Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
}

/**
 * One row at a time, both versions in turn, so that whatever else the machine does meets both.
 *
 * @param live  null where nothing is live
 */
export async function latencyGate(version: OpenedVersion, live: OpenedVersion | null): Promise<Gate> {
  const required = `95 % of single rows within ${MOST_MS} ms${live ? `, and within ${MOST_TIMES_SLOWER} times the live version or ${UNNOTICED_MS} ms` : ''}`;
  const row = rowFor(version.manifest);
  if (row === null) return notApplicable('latency', required, 'the model takes inputs that have no one row');
  const session = await InferenceSession.create(version.onnx, SESSION);
  const liveRow = live && rowFor(live.manifest);
  const liveSession = live && liveRow && (await InferenceSession.create(live.onnx, SESSION));
  try {
    const [own, others]: [number[], number[]] = [[], []];
    for (let i = 0; i < WARM_UP_RUNS + TIMED_RUNS; i++) {
      own.push(await timed(session, row));
      if (liveSession && liveRow) others.push(await timed(liveSession, liveRow));
    }
    const p95 = quantile95(own.slice(WARM_UP_RUNS));
    const p95Live = liveSession ? quantile95(others.slice(WARM_UP_RUNS)) : null;
    const most =
      p95Live === null ? MOST_MS : Math.min(MOST_MS, Math.max(UNNOTICED_MS, MOST_TIMES_SLOWER * p95Live));
    const beside =
      p95Live === null ? '' : `, live version ${live?.manifest.version} ${p95Live.toFixed(3)} ms`;
    return { name: 'latency', required, observed: `${p95.toFixed(3)} ms${beside}`, passed: p95 <= most };
  } finally {
    await session.release();
    await liveSession?.release();
  }
}

async function timed(session: InferenceSession, row: Record<string, Tensor>): Promise<number> {
  const startedAt = performance.now();
  await session.run(row);
  return performance.now() - startedAt;
}

/** Numbers between 0 and 1 of the shape that the manifest names; null for types that no training writes. */
function rowFor({ onnx }: Manifest): Record<string, Tensor> | null {
  const row: Record<string, Tensor> = {};
  for (const { name, datatype, shape } of onnx.inputs) {
    const dims = shape.map((size) => (size < 0 ? 1 : size));
    const values = Array.from(
      { length: dims.reduce((a, b) => a * b, 1) },
      (_, i) => ((i * 7919) % 101) / 101,
    );
    if (datatype === 'FP32') row[name] = new Tensor('float32', Float32Array.from(values), dims);
    else if (datatype === 'FP64') row[name] = new Tensor('float64', Float64Array.from(values), dims);
    else return null;
  }
  return row;
}

function quantile95(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(0.95 * times.length)] ?? 0;
}

/** Everything that a person needs to judge the version is there. */
export function cardGate({ dataSha256, dataRows }: Manifest, card: ModelCard): Gate {
  const missing = [
    ...(['purpose', 'trainingData', 'chosenBecause'] as const).filter((field) => card[field].trim() === ''),
    ...(['features', 'limitations'] as const).filter(
      (field) => !card[field].some((line) => line.trim() !== ''),
    ),
    ...(['metrics', 'baselineMetrics'] as const).filter((field) => !isMeasured(card[field])),
    ...(dataRows > 0 ? [] : ['dataRows']),
    ...(dataSha256 === EMPTY_SHA256 ? ['dataSha256'] : []),
  ];
  return {
    name: 'complete-card',
    required: 'purpose, training data, features, choice, limitations, metrics and those of the baseline',
    observed: missing.length === 0 ? 'complete' : `missing: ${missing.join(', ')}`,
    passed: missing.length === 0,
  };
}

/** SHA-256 of nothing. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function isMeasured(metrics: Record<string, Measured>): boolean {
  const all = Object.values(metrics);
  return all.length > 0 && all.every(({ value }) => Number.isFinite(value));
}
