import type { Manifest, ModelDirectory } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { SessionPool } from '../onnx/session-pool.js';
import type { Program } from '../onnx/thread-messages.js';
import type { BatchLane } from '../scheduling/batch-lane.js';
import type { InferenceScheduler } from '../scheduling/inference-scheduler.js';
import { assertBatchable, bytesPerRow, type TensorSpec, tensorSpec } from '../tensors/tensor.js';
import { explainerOf, prepareTask } from './prepared-task.js';
import type { ServedModel } from './served-model.js';

export interface BatchLimits {
  maxBatchRows: number;
  maxPendingRows: number;
}

const ONNX_FILE = 'model.onnx';
/** A batch's tensors, in and out, may take this much memory; wide models run in shorter batches. */
const MAX_BATCH_BYTES = 32 * 1024 * 1024;
/** Attributions cost milliseconds a row: short batches, so that scores never wait long behind them. */
const MAX_EXPLAIN_ROWS = 16;

/** Brings one version from the repository into service: proven files, sessions on every thread, warmed up. */
export class ModelLoader {
  /** makes the key of a version that is loaded again while its first load is still in use another one */
  private loads = 0;

  constructor(
    private readonly directory: ModelDirectory,
    private readonly pool: SessionPool,
    private readonly scheduler: InferenceScheduler,
    private readonly limits: BatchLimits,
  ) {}

  /**
   * @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH; ModelRunError when the graph does not load, does not run or does
   *   not have the shapes that its manifest names
   */
  async load(model: string, version: number): Promise<ServedModel> {
    const { manifest, files } = await this.directory.readVerified(model, version);
    const onnx = files.get(ONNX_FILE);
    if (!onnx) throw new DomainError('ARTEFACT_INVALID', `${model}/${version} names no ${ONNX_FILE}`);
    const inputs = manifest.onnx.inputs.map(tensorSpec);
    const outputs = manifest.onnx.outputs.map(tensorSpec);
    assertBatchable([...inputs, ...outputs]);
    const task = prepareTask(manifest, { files, inputs, outputs });
    const explainer = explainerOf(manifest, files);
    const key = `${model}@${version}/${++this.loads}`;
    const maxBatchRows = this.batchRows([...inputs, ...outputs]);
    const warmUpRows = warmUpRowsOf(manifest, maxBatchRows);
    await this.pool.load({ key, onnx, inputs, outputs, warmUpRows, explainer });
    const open = (program: Program, rows: number): BatchLane =>
      this.scheduler.openLane({
        key,
        model,
        version: String(version),
        program,
        inputs,
        maxBatchRows: rows,
        maxPendingRows: this.limits.maxPendingRows,
      });
    return {
      key,
      model,
      version: String(version),
      manifest,
      inputs,
      outputs,
      score: open('score', maxBatchRows),
      explain: explainer === null ? null : open('explain', Math.min(maxBatchRows, MAX_EXPLAIN_ROWS)),
      task,
    };
  }

  /** Takes a version that nobody uses off the threads. */
  async unload(served: ServedModel): Promise<void> {
    this.scheduler.closeLane(served.score);
    if (served.explain) this.scheduler.closeLane(served.explain);
    await this.pool.unload(served.key);
  }

  private batchRows(tensors: readonly TensorSpec[]): number {
    const rowBytes = tensors.reduce((sum, tensor) => sum + bytesPerRow(tensor), 0);
    return Math.max(1, Math.min(this.limits.maxBatchRows, Math.floor(MAX_BATCH_BYTES / rowBytes)));
  }
}

/** The manifest's sizes as far as batches can get that large; at least one row, so that no model is served untried. */
function warmUpRowsOf(manifest: Manifest, maxBatchRows: number): number[] {
  return [...new Set([1, ...manifest.warmUpBatchSizes].map((rows) => Math.min(rows, maxBatchRows)))];
}
