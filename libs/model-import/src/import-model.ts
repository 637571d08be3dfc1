import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Gate,
  type ImportedFrom,
  type ManifestDraft,
  type ModelCard,
  modelName,
  MONITOR_FILE,
  type MonitoringReference,
} from '@sextant/artefacts';
import { ONNX_FILE, ModelRefused } from '@sextant/onnx';
import { encodeSample, tableEncodingOf } from './column-mapping.js';
import type { ImportCheck } from './import-check.js';
import type { ImportOrder } from './import-order.js';
import { judgeImport } from './judge-import.js';
import { importanceOf, monitoringOf } from './watch-import.js';
import type { TrialOrder, TrialResult } from './runtime/trial.js';
import { runTrial, type TrialLimits } from './runtime/trial-process.js';

/** A version that may be published. */
export interface ImportedModel {
  draft: ManifestDraft;
  files: ReadonlyMap<string, Uint8Array>;
  card: ModelCard;
  gates: Gate[];
  /** share of each feature in what the model says; empty where not measured */
  importance: Record<string, number>;
}

export interface ImportOutcome {
  /** in the order they were made; the last one failed, or none did */
  checks: ImportCheck[];
  /** null where a check failed */
  imported: ImportedModel | null;
}

export interface ImportParts {
  /** the file's bytes. @throws ModelRefused SOURCE_REFUSED, SOURCE_UNREACHABLE, FILE_TOO_LARGE */
  fetch(order: ImportOrder): Promise<Uint8Array>;
  limits: TrialLimits;
  now(): Date;
}

const WARM_UP_ROWS = [1, 16, 64];

/**
 * Takes a model made elsewhere through its checks. Nothing is published here, and nothing of the file runs in this process.
 *
 * @throws DomainError INVALID_INPUT for a mapping or a sample that cannot be meant
 */
export async function importModel(order: ImportOrder, parts: ImportParts): Promise<ImportOutcome> {
  const encoding = tableEncodingOf(order.columns);
  const cells = encodeSample(encoding, order.sample);
  const unknown = encodeSample(encoding, [{ row: {}, expected: 0 }]);
  const checks: ImportCheck[] = [];
  const bytes = await fetched(order, parts, checks);
  if (bytes === null) return { checks, imported: null };
  const folder = await mkdtemp(join(tmpdir(), 'sextant-import-'));
  try {
    const trial: TrialOrder = {
      file: join(folder, 'source.onnx'),
      adapted: join(folder, ONNX_FILE),
      contract: {
        columns: encoding.features.length,
        meaning: order.output.meaning,
        output: order.output.name ?? null,
        positiveClass: order.output.positiveClass ?? null,
        calibration: order.output.calibration ?? null,
      },
      sample: {
        cells: base64Of(cells),
        expected: order.sample.map(({ expected }) => expected),
        tolerance: order.tolerance,
      },
      unknown: base64Of(unknown),
    };
    const orderPath = join(folder, 'order.json');
    await Promise.all([writeFile(trial.file, bytes), writeFile(orderPath, JSON.stringify(trial))]);
    const { checks: tried, result } = await runTrial(orderPath, parts.limits);
    checks.push(...tried);
    if (result === null) return { checks, imported: null };
    const adapted = await readFile(trial.adapted);
    return {
      checks,
      imported: assembled(order, { result, adapted, bytes: bytes.byteLength, now: parts.now() }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The bytes that were announced; null where they are not, which the checks say. */
async function fetched(
  order: ImportOrder,
  parts: ImportParts,
  checks: ImportCheck[],
): Promise<Uint8Array | null> {
  let bytes: Uint8Array;
  const sourceRequired = 'the file can be had and is not too large';
  try {
    bytes = await parts.fetch(order);
  } catch (error) {
    if (!(error instanceof ModelRefused)) throw error;
    checks.push({
      name: 'source',
      passed: false,
      required: sourceRequired,
      observed: error.message,
      code: error.code,
    });
    return null;
  }
  const size = `${bytes.byteLength.toLocaleString('en')} bytes`;
  checks.push({ name: 'source', passed: true, required: sourceRequired, observed: size, code: null });
  const actual = createHash('sha256').update(bytes).digest('hex');
  const isSame = actual === order.sha256;
  checks.push({
    name: 'sha256',
    passed: isSame,
    required: order.sha256,
    observed: isSame ? actual : `the file is another one: its SHA-256 is ${actual}`,
    code: isSame ? null : 'HASH_MISMATCH',
  });
  return isSame ? bytes : null;
}

interface Tried {
  result: TrialResult;
  adapted: Uint8Array;
  /** of the file as it came */
  bytes: number;
  now: Date;
}

function assembled(order: ImportOrder, tried: Tried): ImportedModel {
  const judged = judgeImport(order, tried.result);
  const { opset, inputs, outputs } = tried.result.signature;
  const { task, tenantId, horizonDays } = order;
  const { gates, card, metrics, baselineMetrics, bands, quantiles, reliability } = judged;
  const table = tableEncodingOf(order.columns);
  const monitoring = monitoringOf(order, tried.result, judged);
  return {
    draft: {
      model: modelName(tenantId, task),
      tenantId,
      trainedAt: tried.now.toISOString(),
      seed: 0,
      dataSha256: createHash('sha256').update(JSON.stringify(order.sample)).digest('hex'),
      dataRows: order.sample.length,
      onnx: { opset, inputs, outputs },
      metrics,
      baselineMetrics,
      warmUpBatchSizes: WARM_UP_ROWS,
      imported: originOf(order, tried),
      ...(monitoring && { monitorFile: MONITOR_FILE }),
      spec: {
        task,
        table,
        family: 'imported',
        explainFile: null,
        bands,
        quantiles,
        reliability,
        horizonDays,
      },
    },
    files: filesOf(tried.adapted, monitoring),
    card,
    gates,
    importance: importanceOf(order, tried.result),
  };
}

function filesOf(adapted: Uint8Array, monitoring: MonitoringReference | null): Map<string, Uint8Array> {
  const files = new Map([[ONNX_FILE, adapted]]);
  if (monitoring) files.set(MONITOR_FILE, Buffer.from(JSON.stringify(monitoring)));
  return files;
}

function originOf({ sha256, sample }: ImportOrder, { result, bytes }: Tried): ImportedFrom {
  const { inputs, output } = result.signature.source;
  return {
    sha256,
    bytes,
    producer: result.producer.slice(0, 100),
    inputs,
    output,
    sampleRows: sample.length,
    largestDifference: result.largestDifference,
  };
}

function base64Of(cells: Float32Array): string {
  return Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength).toString('base64');
}
