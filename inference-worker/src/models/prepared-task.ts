import type {
  LifetimeSpec,
  Manifest,
  PriceSpec,
  RecommendSpec,
  ScoreSpec,
  ScoreTask,
  SessionSpec,
  UpliftSpec,
} from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { TensorSpec } from '../tensors/tensor.js';

export interface RecommendTask {
  task: 'recommend';
  spec: RecommendSpec;
  /** the spec's similarity file: float32 [items + 1, items], or factors [items + 1, rank] and [rank, items]; held once for all threads */
  weights: SharedArrayBuffer;
}
export interface SessionTask {
  task: 'session';
  spec: SessionSpec;
  /** float32 [items, items] row-major, held once for all threads */
  weights: SharedArrayBuffer;
}
export interface ScoreModelTask {
  task: ScoreTask;
  spec: ScoreSpec;
}
export interface PriceTask {
  task: 'price';
  spec: PriceSpec;
}
export interface LifetimeTask {
  task: 'lifetime';
  spec: LifetimeSpec;
}
export interface UpliftTask {
  task: 'uplift';
  spec: UpliftSpec;
}
/** A plain ONNX model: tensors in, tensors out, nothing is known of what they mean. */
export interface TensorTask {
  task: 'tensor';
}
/** What an artefact is for, checked against its tensors. */
export type PreparedTask =
  RecommendTask | SessionTask | ScoreModelTask | PriceTask | LifetimeTask | UpliftTask | TensorTask;

export interface ArtefactParts {
  files: ReadonlyMap<string, Buffer>;
  inputs: readonly TensorSpec[];
  outputs: readonly TensorSpec[];
}

/** @throws DomainError ARTEFACT_INVALID when the spec does not fit the tensors or names a file that the artefact lacks */
export function prepareTask(manifest: Manifest, parts: ArtefactParts): PreparedTask {
  const { spec } = manifest;
  switch (spec.task) {
    case 'recommend':
      assertWidths(manifest, parts, { input: spec.items.length + 1, output: spec.items.length });
      return prepareRecommend(manifest, spec, parts);
    case 'session':
      assertWidths(manifest, parts, { input: 2 * spec.items.length, output: spec.items.length });
      return prepareSession(manifest, spec, parts);
    case 'lead':
    case 'churn':
    case 'purchase':
      assertWidths(manifest, parts, { input: spec.table.features.length, output: 1 });
      return { task: spec.task, spec };
    case 'price':
      assertWidths(manifest, parts, { input: spec.table.features.length, output: 1 });
      return { task: 'price', spec };
    case 'lifetime':
      assertWidths(manifest, parts, { input: 5, output: 3 }, 'FP64');
      return { task: 'lifetime', spec };
    case 'uplift':
      assertWidths(manifest, parts, { input: spec.table.features.length, output: 1 + spec.actions.length });
      return { task: 'uplift', spec };
  }
}

/** The text of the artefact's explainer; null where the task has none. */
export function explainerOf(manifest: Manifest, files: ReadonlyMap<string, Buffer>): string | null {
  const { spec } = manifest;
  const path = 'explainFile' in spec ? spec.explainFile : null;
  return path === null ? null : fileOf(manifest, files, path).toString('utf8');
}

function prepareRecommend(manifest: Manifest, spec: RecommendSpec, { files }: ArtefactParts): RecommendTask {
  const { items, rank, similarityFile } = spec;
  assertDistinct(manifest, items);
  const shape =
    rank === null ? ([items.length + 1, items.length] as const) : ([2 * items.length + 1, rank] as const);
  const file = { path: similarityFile, bytes: fileOf(manifest, files, similarityFile) };
  return { task: 'recommend', spec, weights: sharedMatrix(manifest, file, shape) };
}

function prepareSession(manifest: Manifest, spec: SessionSpec, { files }: ArtefactParts): SessionTask {
  const { items, transitionsFile } = spec;
  assertDistinct(manifest, items);
  const file = { path: transitionsFile, bytes: fileOf(manifest, files, transitionsFile) };
  return { task: 'session', spec, weights: sharedMatrix(manifest, file, [items.length, items.length]) };
}

function assertDistinct(manifest: Manifest, items: readonly string[]): void {
  if (new Set(items).size !== items.length) throw invalid(manifest, 'an item id comes twice');
}

function sharedMatrix(
  manifest: Manifest,
  { path, bytes }: { path: string; bytes: Buffer },
  [rows, columns]: readonly [number, number],
): SharedArrayBuffer {
  if (bytes.byteLength !== 4 * rows * columns) {
    throw invalid(
      manifest,
      `${path} must hold [${rows}, ${columns}] float32, it has ${bytes.byteLength} bytes`,
    );
  }
  const { buffer } = bytes;
  if (buffer instanceof SharedArrayBuffer && buffer.byteLength === bytes.byteLength) return buffer;
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(bytes);
  return shared;
}

function assertWidths(
  manifest: Manifest,
  { inputs, outputs }: ArtefactParts,
  widths: { input: number; output: number },
  datatype: TensorSpec['datatype'] = 'FP32',
): void {
  const [input, ...otherInputs] = inputs;
  const output = outputs[0];
  const fits =
    otherInputs.length === 0 &&
    input?.datatype === datatype &&
    output?.datatype === datatype &&
    input.width === widths.input &&
    output.width === widths.output;
  if (!fits) {
    const wanted = `one ${datatype} input [-1, ${widths.input}] and a first output ${datatype} [-1, ${widths.output}]`;
    throw invalid(manifest, `task ${manifest.spec.task} needs ${wanted}`);
  }
}

function fileOf(manifest: Manifest, files: ReadonlyMap<string, Buffer>, path: string): Buffer {
  const content = files.get(path);
  if (!content) throw invalid(manifest, `the spec names ${path}, the list of files does not`);
  return content;
}

function invalid(manifest: Manifest, message: string): DomainError {
  return new DomainError('ARTEFACT_INVALID', `${manifest.model}/${manifest.version}: ${message}`);
}
