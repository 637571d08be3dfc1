import type { Gate, Manifest, Measured, ModelCard } from '@sextant/artefacts';
import { type InputTensor, OpenedModel } from '../runtime/index.js';
import type { OpenedVersion, ParityProbe } from './model-evidence.js';
import { notApplicable } from './quality-gates.js';

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
  const model = await OpenedModel.open(onnx);
  try {
    const actual = await model.answer(input, rows);
    if (actual?.length !== expected.length) return null;
    return Array.from(expected).reduce(
      (worst, value, i) => Math.max(worst, difference(value, actual[i] ?? 0)),
      0,
    );
  } finally {
    await model.close();
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
  const liveRow = live && rowFor(live.manifest);
  const own = await OpenedModel.open(version.onnx);
  const other = live && liveRow ? { model: await OpenedModel.open(live.onnx), row: liveRow } : null;
  try {
    const times = { own: [] as number[], other: [] as number[] };
    for (let i = 0; i < WARM_UP_RUNS + TIMED_RUNS; i++) {
      times.own.push(await own.time(row));
      if (other) times.other.push(await other.model.time(other.row));
    }
    const p95 = quantile95(times.own.slice(WARM_UP_RUNS));
    const p95Live = other ? quantile95(times.other.slice(WARM_UP_RUNS)) : null;
    const most =
      p95Live === null ? MOST_MS : Math.min(MOST_MS, Math.max(UNNOTICED_MS, MOST_TIMES_SLOWER * p95Live));
    const beside =
      p95Live === null ? '' : `, live version ${live?.manifest.version} ${p95Live.toFixed(3)} ms`;
    return { name: 'latency', required, observed: `${p95.toFixed(3)} ms${beside}`, passed: p95 <= most };
  } finally {
    await own.close();
    await other?.model.close();
  }
}

/** Numbers between 0 and 1 of the shape that the manifest names; null for types that no training writes. */
function rowFor({ onnx }: Manifest): Map<string, InputTensor> | null {
  const row = new Map<string, InputTensor>();
  for (const { name, datatype, shape } of onnx.inputs) {
    const dims = shape.map((size) => (size < 0 ? 1 : size));
    const count = dims.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: count }, (_, i) => ((i * 7919) % 101) / 101);
    if (datatype === 'FP32') row.set(name, { values: Float32Array.from(values), dims });
    else if (datatype === 'FP64') row.set(name, { values: Float64Array.from(values), dims });
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
