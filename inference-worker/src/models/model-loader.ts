import type { Manifest, ModelRepository, ServingConfig, StoredVersion } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { openInlineSession } from '../onnx/inline-session.js';
import type { SessionPool } from '../onnx/session-pool.js';
import type { LoadedModel, OpenedSession, Program } from '../onnx/thread-messages.js';
import type { BatchLane } from '../scheduling/batch-lane.js';
import type { InferenceScheduler } from '../scheduling/inference-scheduler.js';
import { bytesPerRow, isBatchable, type TensorSpec, tensorSpec } from '../tensors/tensor.js';
import type { CountLedger } from '../monitoring/count-ledger.js';
import { type Watching, watchingOf } from '../monitoring/counter-plan.js';
import { estimateMemory, type MemoryBudget } from './memory-budget.js';
import { assembleDecisions, decisionBatchRows, decisionSourceOf } from '../decisions/decision-lanes.js';
import { explainerOf, prepareTask, type PreparedTask } from './prepared-task.js';
import type { ServedModel } from './served-model.js';

export interface LoaderParts {
  repository: ModelRepository;
  pool: SessionPool;
  scheduler: InferenceScheduler;
  memory: MemoryBudget;
  /** where the threads' counts of decisions come together */
  counts: CountLedger;
}

export interface LoaderOptions {
  maxBatchRows: number;
  maxPendingRows: number;
  /** sessions of one model that are held at the same time */
  sessions: number;
  /** longest run that the main thread takes on, milliseconds; 0: none */
  inlineMs: number;
  /** whether ONNX files without a manifest are served */
  allowPlain: boolean;
}

export interface LoadOrder {
  model: string;
  version: number;
  batching: ServingConfig['batching'];
  execution: ServingConfig['execution'];
  /** wanted by a call, and not by the repository */
  isOnDemand?: boolean;
}

const ONNX_FILE = 'model.onnx';
/** A batch's tensors, in and out, may take this much memory; wide models run in shorter batches. */
const MAX_BATCH_BYTES = 32 * 1024 * 1024;
/** Batch sizes that a plain model is tried with. */
const PLAIN_WARM_UP_ROWS = [1, 8, 64];
const PLAIN_TASK: PreparedTask = { task: 'tensor' };

/** Brings one version from the repository into service: proven files, sessions on every thread, warmed up. */
export class ModelLoader {
  /** makes the key of a version that is loaded again while its first load is still in use another one */
  private loads = 0;

  constructor(
    private readonly parts: LoaderParts,
    private readonly options: LoaderOptions,
  ) {}

  /**
   * @returns the version, and what gives its room back; to be called once the version is in the catalogue
   * @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH, MODEL_TOO_LARGE, INFERENCE_UNAVAILABLE without room, STORE_UNAVAILABLE;
   *   ModelRunError when the graph does not load, does not run or does not have the shapes that its manifest names
   */
  async load(order: LoadOrder): Promise<{ served: ServedModel; releaseRoom: () => void }> {
    const { repository, memory } = this.parts;
    const { model, version } = order;
    const stored = await repository.readVersion(model, version);
    const onnx = stored.files.get(ONNX_FILE);
    if (!onnx) throw new DomainError('ARTEFACT_INVALID', `${model}/${version} names no ${ONNX_FILE}`);
    if (stored.manifest === null) this.assertPlainAllowed(order);
    const sizes = { files: stored.files, onnxBytes: onnx.byteLength };
    const memoryBytes = estimateMemory(sizes, this.options.sessions);
    const releaseRoom = memory.reserve(order, memoryBytes);
    try {
      const served = await this.open(order, { ...stored, onnx, memoryBytes });
      return { served, releaseRoom };
    } catch (error) {
      releaseRoom();
      throw error;
    }
  }

  /** Takes a version that nobody uses off the threads. */
  async unload(served: ServedModel): Promise<void> {
    this.parts.scheduler.closeLane(served.score);
    for (const lane of [served.decide, served.explain]) if (lane) this.parts.scheduler.closeLane(lane);
    await Promise.all([this.parts.pool.unload(served.key), served.score.inline?.release()]);
    this.parts.counts.close(served.key);
  }

  private async open(order: LoadOrder, content: Content): Promise<ServedModel> {
    const startedAt = performance.now();
    const { model, version } = order;
    const { manifest, memoryBytes } = content;
    const { task, loaded, watching } = this.prepare(order, content);
    const { key, explainer } = loaded;
    const opened = await this.parts.pool.load(loaded);
    if (watching.plan) this.parts.counts.open(key, { model, version: String(version), plan: watching.plan });
    const { inputs, outputs } = opened;
    const lanes = this.openLanes(order, { key, inputs, outputs, task, isExplained: explainer !== null });
    await this.prepareLane(lanes.score, loaded, opened);
    return {
      key,
      model,
      version: String(version),
      manifest,
      trainedAt: manifest?.trainedAt ?? '',
      inputs,
      outputs,
      // Kept up to date by the pool when the model has to leave its provider.
      get provider() {
        return opened.provider;
      },
      get attempts() {
        return opened.attempts;
      },
      ...lanes,
      task,
      watching,
      memoryBytes,
      ballast: ballastOf(content.files),
      loadMs: performance.now() - startedAt,
    };
  }

  /** What threads are to load, checked as far as that can be done without opening it. */
  private prepare(
    order: LoadOrder,
    { manifest, files, onnx }: Content,
  ): { task: PreparedTask; loaded: LoadedModel; watching: Watching } {
    const declared = manifest === null ? null : signatureOf(manifest);
    const task = manifest === null || !declared ? PLAIN_TASK : prepareTask(manifest, { files, ...declared });
    const watching = watchingOf(manifest, files);
    const counted = watching.plan === null ? null : watching.sent;
    const maxRows = declared && this.batchRows([...declared.inputs, ...declared.outputs], order.batching);
    const decisions = maxRows === null ? null : decisionSourceOf(task, { maxRows, counted });
    const gpuOnnx = files.get(manifest?.onnx.gpuFile ?? '');
    const loaded: LoadedModel = {
      key: `${order.model}@${order.version}/${++this.loads}`,
      onnx,
      ...(gpuOnnx ? { gpuOnnx } : {}),
      inputs: declared?.inputs ?? null,
      outputs: declared?.outputs ?? null,
      warmUpRows: this.warmUpRowsOf(order, manifest, declared),
      explainer: manifest === null ? null : explainerOf(manifest, files),
      ...(decisions ? { decisions } : {}),
      plan: order.execution,
    };
    return { task, loaded, watching };
  }

  /** What the warm-up taught about the time of a batch, and a session on the main thread where the model is tiny. */
  private async prepareLane(lane: BatchLane, loaded: LoadedModel, opened: OpenedSession): Promise<void> {
    const inline = await openInlineSession(loaded, opened, this.options.inlineMs);
    lane.inline = inline;
    for (const { rows, computeMs } of opened.runs) lane.runTime.observe(rows, computeMs);
    for (const { rows, computeMs } of inline?.runs ?? []) lane.inlineTime.observe(rows, computeMs);
  }

  private openLanes(
    { model, version, batching }: LoadOrder,
    { key, inputs, outputs, task, isExplained }: Signature & OpenedTask,
  ): Pick<ServedModel, 'score' | 'decide' | 'explain'> {
    const maxBatchRows = this.batchRows([...inputs, ...outputs], batching);
    const decisionRows = decisionBatchRows(task, maxBatchRows);
    const { maxPendingRows } = this.options;
    // A model is named <tenant>.<task>; another name stands for itself.
    const [tenant = model] = model.split('.');
    const open = (program: Program, rows: number): BatchLane =>
      this.parts.scheduler.openLane({
        key,
        model,
        version: String(version),
        tenant,
        program,
        inputs,
        maxBatchRows: rows,
        maxPendingRows,
        maxQueueDelayMs: (batching.maxQueueDelayMicros ?? 0) / 1000,
        ...(batching.instances ? { maxRunning: batching.instances } : {}),
        ...(program === 'score' ? {} : { assemble: assembleDecisions }),
      });
    return {
      score: open('score', maxBatchRows),
      decide: task.task === 'tensor' ? null : open('decide', decisionRows.decide),
      explain: isExplained ? open('explain', decisionRows.explain) : null,
    };
  }

  /** Rows in one run; a model whose tensors cannot be cut into rows runs one request at a time. */
  private batchRows(tensors: readonly TensorSpec[], batching: ServingConfig['batching']): number {
    if (!isBatchable(tensors)) return 1;
    const rowBytes = tensors.reduce((sum, tensor) => sum + bytesPerRow(tensor), 0);
    const most = Math.min(this.options.maxBatchRows, batching.maxRows ?? this.options.maxBatchRows);
    return Math.max(1, Math.min(most, Math.floor(MAX_BATCH_BYTES / rowBytes)));
  }

  /** The manifest's sizes as far as batches can get that large; at least one row, so that no model is served untried. */
  private warmUpRowsOf(
    { batching }: LoadOrder,
    manifest: Manifest | null,
    declared: Signature | null,
  ): number[] {
    const most = declared
      ? this.batchRows([...declared.inputs, ...declared.outputs], batching)
      : Math.min(this.options.maxBatchRows, batching.maxRows ?? this.options.maxBatchRows);
    const wanted = manifest?.warmUpBatchSizes ?? PLAIN_WARM_UP_ROWS;
    return [...new Set([1, ...wanted].map((rows) => Math.min(rows, most)))];
  }

  private assertPlainAllowed({ model, version }: LoadOrder): void {
    if (this.options.allowPlain) return;
    const message = `${model}/${version} has no manifest.json, so nothing proves its ${ONNX_FILE}: publish it with a manifest, or set MODEL_AUTOCOMPLETE=true to serve it as it is`;
    throw new DomainError('ARTEFACT_INVALID', message);
  }
}

/**
 * As many bytes as the files have, never touched, so that they cost an address range only. V8 does not count shared memory towards
 * what makes it collect garbage; by the ballast it knows how much goes with a version that is not used any more.
 */
function ballastOf(files: StoredVersion['files']): ArrayBuffer {
  let bytes = 0;
  for (const content of files.values()) bytes += content.byteLength;
  return new ArrayBuffer(bytes);
}

interface Signature {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
}

interface OpenedTask {
  key: string;
  task: PreparedTask;
  isExplained: boolean;
}

type Content = StoredVersion & { onnx: Buffer; memoryBytes: number };

function signatureOf({ onnx }: Manifest): Signature {
  return { inputs: onnx.inputs.map(tensorSpec), outputs: onnx.outputs.map(tensorSpec) };
}
