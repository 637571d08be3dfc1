import { DomainError } from '@sextant/domain';
import type { Logger } from 'pino';
import { DecisionRows } from '../decisions/decision-lanes.js';
import { DecisionNumbers } from '../decisions/decision-numbers.js';
import type { ShadowRun } from '../operations/model-metrics.js';
import type { BatchLane, BatchTiming, ResultSink, RowSource } from '../scheduling/batch-lane.js';
import type { InferenceScheduler } from '../scheduling/inference-scheduler.js';
import { CollectedRows } from '../scheduling/rows-result.js';
import { isBatchable, type Tensor, type TensorArray, type TensorSpec } from '../tensors/tensor.js';
import { type CallContext, PRIORITY } from '../transport/call-context.js';
import type { ModelCatalogue } from './model-catalogue.js';
import type { ServedModel } from './served-model.js';
import { differenceOf } from './shadow-comparison.js';
import type { VersionSlot } from './version-slot.js';

export interface ShadowParts {
  catalogue: ModelCatalogue;
  scheduler: InferenceScheduler;
  /** whether a thread has nothing to do for such rows */
  isIdle(lane: BatchLane): boolean;
  onRun(run: ShadowRun): void;
  logger: Logger;
}

/** Rows that wait longer for an idle thread are given up. */
const LONGEST_WAIT_MS = 5_000;
/** Its rows count towards nobody's share of the threads. */
const TENANT = 'shadow traffic';

/** What the live version answered, kept to be compared. */
interface Original {
  lane: BatchLane;
  source: RowSource;
  outputs: TensorArray[];
}

/**
 * Runs a share of the calls that the live version answered again on the shadow version: after the answer has left, one at a time, only
 * while nothing waits and a thread is idle. Nobody but the metrics sees what the shadow answers.
 */
export class ShadowTraffic {
  private isRunning = false;
  /** versions of which a failure was told */
  private readonly told = new Set<string>();

  constructor(private readonly parts: ShadowParts) {}

  /** The sink of a call, which also feeds the shadow where the call is in its share. */
  beside(lane: BatchLane, source: RowSource, sink: ResultSink): ResultSink {
    const { model, version, program } = lane.options;
    const shadow = this.parts.catalogue.routingOf(model)?.shadow;
    if (!shadow || program === 'explain' || shadow.version === version || Math.random() >= shadow.share)
      return sink;
    const live = this.parts.catalogue.routingOf(model)?.live;
    if (live !== version) return sink;
    return new ObservedSink(source, sink, (outputs) => this.later(shadow.version, { lane, source, outputs }));
  }

  private later(version: string, original: Original): void {
    // The answer is on its way to the socket; the shadow comes after everything that is due now.
    setImmediate(() => this.start(version, original));
  }

  private start(version: string, { lane, source, outputs }: Original): void {
    const { catalogue, scheduler } = this.parts;
    const { model } = lane.options;
    const slot = catalogue.slotOf(model, version);
    const original = catalogue.slotOf(model, lane.options.version)?.served;
    if (!slot?.served || !original || this.isBusy(slot.served)) {
      return this.parts.onRun({ model, version, outcome: 'dropped' });
    }
    const { served } = slot;
    const shadowLane = source instanceof DecisionRows ? served.decide : served.score;
    const mismatch = whyIncomparable({ original, served, source });
    if (mismatch !== null || shadowLane === null)
      return this.failed(slot, mismatch ?? 'it answers no decisions');
    slot.acquire();
    this.isRunning = true;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      this.isRunning = false;
      slot.release();
    };
    const compare = (answers: TensorArray[], { computeMs }: BatchTiming): void => {
      end();
      const pairs = pairsOf({ source, outputs, original }, { answers, served });
      this.compare(slot, pairs, computeMs);
    };
    const fail = (error: unknown): void => {
      end();
      this.failed(slot, error instanceof Error ? error.message : String(error));
    };
    try {
      const rows = source instanceof DecisionRows ? source.on(shadowLane.options) : source;
      scheduler.submit(shadowLane, rows, collectorOf(rows, compare, fail), backgroundCall(served));
    } catch (error) {
      end();
      if (!(error instanceof DomainError)) throw error;
      this.parts.onRun({ model, version, outcome: 'dropped' });
    }
  }

  private isBusy({ score }: ServedModel): boolean {
    return this.isRunning || this.parts.scheduler.pendingRows > 0 || !this.parts.isIdle(score);
  }

  private compare(
    slot: VersionSlot,
    pairs: readonly (readonly [TensorArray, TensorArray])[],
    computeMs: number,
  ): void {
    const { model, version } = slot;
    const difference = differenceOf(pairs);
    if (!Number.isFinite(difference.maxAbsolute))
      return this.failed(slot, 'it gave NaN or an infinity where the live version did not');
    this.parts.onRun({ model, version, outcome: 'ok', difference, computeMs });
  }

  private failed({ model, version }: VersionSlot, reason: string): void {
    this.parts.onRun({ model, version, outcome: 'failed' });
    const name = `${model}@${version}`;
    if (this.told.has(name)) return;
    this.told.add(name);
    this.parts.logger.warn(
      { model, version, reason },
      'the shadow version failed; further failures are only counted',
    );
  }
}

/** Hands everything on at once and keeps a copy of what the call was answered. */
class ObservedSink implements ResultSink {
  private readonly kept: ResultSink;
  private outputs: TensorArray[] | null = null;
  private isWhole = true;

  constructor(
    source: RowSource,
    private readonly sink: ResultSink,
    private readonly onAnswered: (outputs: TensorArray[]) => void,
  ) {
    this.kept = collectorOf(
      source,
      (outputs) => (this.outputs = outputs),
      () => undefined,
    );
  }

  take(
    outputs: readonly Tensor[],
    range: { from: number; count: number; at: number; batchRows: number },
  ): void {
    this.sink.take(outputs, range);
    if (outputs.some(({ data }) => Array.isArray(data))) this.isWhole = false;
    if (this.isWhole) this.kept.take(outputs, range);
  }

  done(timing: BatchTiming): void {
    this.sink.done(timing);
    this.kept.done(timing);
    if (this.isWhole && this.outputs) this.onAnswered(this.outputs);
  }

  fail(error: unknown): void {
    this.sink.fail(error);
  }
}

/** What is compared of the answers: all outputs, or the numbers that decisions are about. */
function collectorOf(
  source: RowSource,
  resolve: (outputs: TensorArray[], timing: BatchTiming) => void,
  fail: (error: unknown) => void,
): ResultSink {
  if (source instanceof DecisionRows) {
    return new DecisionNumbers(source.rpc, (numbers, timing) => resolve([numbers], timing), fail);
  }
  return new CollectedRows(source.rows, (result) => resolve(result.outputs, result), fail);
}

/** Null when the rows of one can be run by the other and their answers be compared. */
function whyIncomparable({
  original: live,
  served: shadow,
  source,
}: {
  original: ServedModel;
  served: ServedModel;
  source: RowSource;
}): string | null {
  if (source instanceof DecisionRows) {
    return live.task.task === shadow.task.task ? null : `it is for the task ${shadow.task.task}`;
  }
  if (!isBatchable([...live.inputs, ...live.outputs])) return 'its model is not batched by rows';
  if (!isSame(live.inputs, shadow.inputs)) return 'its inputs are not those of the live version';
  const isCovered = live.outputs.every((output) => shadow.outputs.some((other) => isSame([output], [other])));
  return isCovered ? null : 'it lacks outputs of the live version, or has them in other shapes';
}

function isSame(ours: readonly TensorSpec[], theirs: readonly TensorSpec[]): boolean {
  const told = (specs: readonly TensorSpec[]): string =>
    specs.map(({ name, datatype, rowShape }) => `${name} ${datatype} ${rowShape.join('x')}`).join();
  return told(ours) === told(theirs);
}

function pairsOf(
  {
    source,
    outputs,
    original,
  }: { source: RowSource; outputs: readonly TensorArray[]; original: ServedModel },
  { answers, served }: { answers: readonly TensorArray[]; served: ServedModel },
): [TensorArray, TensorArray][] {
  if (source instanceof DecisionRows) return shortened(outputs[0], answers[0]);
  return original.outputs.flatMap(({ name }, i): [TensorArray, TensorArray][] => {
    const ours = outputs[i];
    const theirs = answers[served.outputs.findIndex((output) => output.name === name)];
    return ours && theirs ? [[ours, theirs]] : [];
  });
}

/** Slates of two versions need not be of one length. */
function shortened(
  ours: TensorArray | undefined,
  theirs: TensorArray | undefined,
): [TensorArray, TensorArray][] {
  const length = Math.min(ours?.length ?? 0, theirs?.length ?? 0);
  return ours && theirs ? [[ours.subarray(0, length), theirs.subarray(0, length)]] : [];
}

/** A call that nobody waits for. */
function backgroundCall(served: ServedModel): CallContext {
  return {
    deadline: Date.now() + LONGEST_WAIT_MS,
    tenant: TENANT,
    priority: PRIORITY.BACKGROUND,
    isCounted: true,
    routingKey: '',
    traceparent: undefined,
    tracestate: undefined,
    isCancelled: false,
    onCancelled: () => undefined,
    served,
  };
}
