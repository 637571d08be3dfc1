import {
  decodeInferRequest,
  encodeInferResponse,
  type InferRequest,
  MalformedMessageError,
  type ResponseFrame,
  responseFrame,
  type ResponseOutput,
} from '@sextant/inference-protocol';
import { DomainError } from '@sextant/domain';
import type { WantedVersion } from '../models/model-catalogue.js';
import type { ModelRunner } from '../models/model-runner.js';
import type { ServedModel } from '../models/served-model.js';
import type { VersionSlot } from '../models/version-slot.js';
import type { BatchTiming, ResultSink, RowSource } from '../scheduling/batch-lane.js';
import { bytesPerRow, isBatchable, type Tensor, type TensorSpec } from '../tensors/tensor.js';
import type { GrpcCallContext } from '../transport/grpc-call-context.js';
import { readRowInputs, readWholeInputs, type RowInputs } from './infer-inputs.js';
import { type Range, RowOutputs, rowOutputs, wantedOutputs, wholeOutputs } from './infer-outputs.js';
import { readQueueWishes } from './infer-parameters.js';

/** What every call of one loaded version shares. */
interface Plan {
  isBatchable: boolean;
  frame: ResponseFrame;
  everyOutput: readonly number[];
  /** bytes of a row of each input */
  widths: number[];
  rowBytes: number;
}

const plans = new WeakMap<ServedModel, Plan>();

function planOf(served: ServedModel): Plan {
  let plan = plans.get(served);
  if (!plan) {
    const widths = served.inputs.map(bytesPerRow);
    plan = {
      isBatchable: isBatchable([...served.inputs, ...served.outputs]),
      frame: responseFrame(served.model, served.version, served.outputs),
      everyOutput: served.outputs.map((_, i) => i),
      widths,
      rowBytes: widths.reduce((sum, width) => sum + width, 0),
    };
    plans.set(served, plan);
  }
  return plan;
}

export interface InferOutcome {
  answered(response: Buffer): void;
  failed(error: unknown): void;
}

/**
 * One `ModelInfer` on its way: the bytes of its tensors stay in the message until they are copied into a batch, and its answer
 * is encoded from the batch's outputs.
 */
export class InferCall implements RowSource, ResultSink {
  rows = 1;
  bytesPerRow = 0;
  private request: InferRequest | undefined;
  private slot: VersionSlot | undefined;
  private frame: ResponseFrame | undefined;
  private widths: readonly number[] = [];
  private inputs: readonly Uint8Array[] = [];
  private whole: Tensor[] | undefined;
  private specs: readonly TensorSpec[] = [];
  /** of a request that several batches carry */
  private joined: RowOutputs | undefined;
  private wanted: readonly number[] = [];
  private response: Buffer | undefined;

  constructor(
    private readonly runner: ModelRunner,
    private readonly context: GrpcCallContext,
    private readonly outcome: InferOutcome,
  ) {}

  /** Never throws: what goes wrong is the outcome. */
  start(message: Buffer): void {
    try {
      const request = decode(message);
      this.request = request;
      this.takeWishes(request);
      const wanted = { model: request.modelName, version: request.modelVersion, routingKey: request.id };
      const start = this.runner.untilReachable(wanted, this.context);
      if (start) void this.startAfter(start, wanted, request);
      else this.route(wanted, request);
    } catch (error) {
      this.fail(error);
    }
  }

  /** {@inheritDoc RowSource.write} */
  write(batch: readonly Uint8Array[], { from, count, at }: Range): void {
    for (let i = 0; i < batch.length; i++) {
      const width = this.widths[i] ?? 0;
      const source = this.inputs[i] as Uint8Array;
      const rows = count === this.rows ? source : source.subarray(from * width, (from + count) * width);
      batch[i]?.set(rows, at * width);
    }
  }

  /** {@inheritDoc RowSource.tensors} */
  tensors(): Tensor[] | undefined {
    return this.whole;
  }

  take(outputs: readonly Tensor[], range: Range): void {
    const { wanted } = this;
    // The batch's outputs are gone after this call: an answer that is complete is encoded from them right away.
    if (this.whole) this.encode(wholeOutputs(outputs, wanted));
    else if (range.count === this.rows)
      this.encode(rowOutputs(outputs, range, { specs: this.specs, wanted }));
    else (this.joined ??= new RowOutputs(this.rows, this.specs, wanted)).take(outputs, range);
  }

  done(_timing: BatchTiming): void {
    if (this.joined) this.encode(this.joined.list());
    this.slot?.release();
    this.outcome.answered(this.response ?? Buffer.alloc(0));
  }

  fail(error: unknown): void {
    this.slot?.release();
    this.outcome.failed(error);
  }

  private takeWishes(request: InferRequest): void {
    const { priority, timeoutMs } = readQueueWishes(request);
    if (priority !== undefined) this.context.priority = priority;
    if (timeoutMs !== undefined)
      this.context.deadline = Math.min(this.context.deadline, Date.now() + timeoutMs);
  }

  private route(wanted: WantedVersion, request: InferRequest): void {
    const slot = this.runner.acquire(wanted, this.context);
    this.slot = slot;
    if (slot.served) this.submit(slot.served, request);
    else void this.startLater(slot, request);
  }

  private async startAfter(
    start: Promise<void>,
    wanted: WantedVersion,
    request: InferRequest,
  ): Promise<void> {
    try {
      await start;
      this.route(wanted, request);
    } catch (error) {
      this.fail(error);
    }
  }

  private async startLater(slot: VersionSlot, request: InferRequest): Promise<void> {
    try {
      this.submit(await this.runner.bring(slot, this.context), request);
    } catch (error) {
      this.fail(error);
    }
  }

  private submit(served: ServedModel, request: InferRequest): void {
    this.context.served = served;
    const plan = planOf(served);
    this.frame = plan.frame;
    this.wanted = request.outputs.length === 0 ? plan.everyOutput : wantedOutputs(request, served.outputs);
    if (plan.isBatchable) this.takeRows(served, plan, readRowInputs(request, served.inputs, this.checkRows));
    else {
      this.whole = readWholeInputs(request, served.inputs);
      this.bytesPerRow = request.raw.reduce((sum, { length }) => sum + length, 0);
    }
    this.runner.submit(served.score, this, this, this.context);
  }

  private takeRows(served: ServedModel, { widths, rowBytes }: Plan, { rows, bytes }: RowInputs): void {
    this.rows = rows;
    this.bytesPerRow = rowBytes;
    this.widths = widths;
    this.inputs = bytes;
    this.specs = served.outputs;
  }

  private readonly checkRows = (rows: number): void => this.runner.assertRowCount(rows, 'inputs');

  private encode(outputs: ResponseOutput[]): void {
    if (this.frame) this.response = encodeInferResponse(this.frame, this.request?.id ?? '', outputs);
  }
}

/** @throws DomainError INVALID_INPUT */
function decode(message: Buffer): InferRequest {
  try {
    return decodeInferRequest(message);
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error;
    throw new DomainError('INVALID_INPUT', `the request is no ModelInferRequest: ${error.message}`, {
      cause: error,
    });
  }
}
