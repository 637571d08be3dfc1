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
import { parseExplainer } from '@sextant/learning/explain';
import { type ItemSimilarity } from '@sextant/learning/recommend';
import type { TensorSpec } from '../tensors/tensor.js';

export interface RecommendTask {
  task: 'recommend';
  spec: RecommendSpec;
  /** column of the model's input and output by item id */
  indexOf: ReadonlyMap<string, number>;
  similarity: ItemSimilarity;
}
export interface SessionTask {
  task: 'session';
  spec: SessionSpec;
  /** half a column of the model's input and its output by item id */
  indexOf: ReadonlyMap<string, number>;
  /** [items, items] row-major */
  transitions: Float32Array;
}
export interface ScoreModelTask {
  task: ScoreTask;
  spec: ScoreSpec;
  explainer: ExplainerOutline;
}
export interface PriceTask {
  task: 'price';
  spec: PriceSpec;
  /** null where the artefact brings none */
  explainer: ExplainerOutline | null;
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
/** How to read what the threads' explainer answers. */
export interface ExplainerOutline {
  method: string;
  /** raw column of each contribution */
  columns: readonly string[];
}
/** What the main thread keeps of an artefact to translate domain questions into tensors and back. */
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
      return { task: spec.task, spec, explainer: outlineOf(fileOf(manifest, parts.files, spec.explainFile)) };
    case 'price':
      assertWidths(manifest, parts, { input: spec.table.features.length, output: 1 });
      return {
        task: 'price',
        spec,
        explainer:
          spec.explainFile === null ? null : outlineOf(fileOf(manifest, parts.files, spec.explainFile)),
      };
    case 'lifetime':
      assertWidths(manifest, parts, { input: 5, output: 3 }, 'FP64');
      return { task: 'lifetime', spec };
    case 'uplift':
      assertWidths(manifest, parts, { input: spec.table.features.length, output: 1 + spec.actions.length });
      return { task: 'uplift', spec };
  }
}

function outlineOf(file: Buffer): ExplainerOutline {
  const { method, columns } = parseExplainer(file.toString('utf8'));
  return { method, columns };
}

/** The text of the artefact's explainer; null where the task has none. */
export function explainerOf(manifest: Manifest, files: ReadonlyMap<string, Buffer>): string | null {
  const { spec } = manifest;
  const path = 'explainFile' in spec ? spec.explainFile : null;
  return path === null ? null : fileOf(manifest, files, path).toString('utf8');
}

function prepareRecommend(manifest: Manifest, spec: RecommendSpec, { files }: ArtefactParts): RecommendTask {
  const itemCount = spec.items.length;
  const indexOf = indexOfItems(manifest, spec.items);
  const file = { path: spec.similarityFile, bytes: fileOf(manifest, files, spec.similarityFile) };
  const { rank } = spec;
  if (rank === null) {
    const matrix = matrixOf(manifest, file, [itemCount + 1, itemCount]);
    return { task: 'recommend', spec, indexOf, similarity: { itemCount, matrix } };
  }
  const factors = matrixOf(manifest, file, [2 * itemCount + 1, rank]);
  const cut = (itemCount + 1) * rank;
  const [sources, targets] = [factors.subarray(0, cut), factors.subarray(cut)];
  return { task: 'recommend', spec, indexOf, similarity: { itemCount, rank, sources, targets } };
}

function prepareSession(manifest: Manifest, spec: SessionSpec, { files }: ArtefactParts): SessionTask {
  const itemCount = spec.items.length;
  const indexOf = indexOfItems(manifest, spec.items);
  const file = { path: spec.transitionsFile, bytes: fileOf(manifest, files, spec.transitionsFile) };
  return { task: 'session', spec, indexOf, transitions: matrixOf(manifest, file, [itemCount, itemCount]) };
}

function indexOfItems(manifest: Manifest, items: readonly string[]): Map<string, number> {
  const indexOf = new Map(items.map((item, index) => [item, index]));
  if (indexOf.size !== items.length) throw invalid(manifest, 'an item id comes twice');
  return indexOf;
}

function matrixOf(
  manifest: Manifest,
  { path, bytes }: { path: string; bytes: Buffer },
  [rows, columns]: readonly [number, number],
): Float32Array {
  if (bytes.byteLength !== 4 * rows * columns) {
    throw invalid(
      manifest,
      `${path} must hold [${rows}, ${columns}] float32, it has ${bytes.byteLength} bytes`,
    );
  }
  const matrix = new Float32Array(rows * columns);
  new Uint8Array(matrix.buffer).set(bytes);
  return matrix;
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
