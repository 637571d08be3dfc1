import { DomainError } from '@sextant/domain';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import type { BatchLane, ResultSink, RowSource } from '../scheduling/batch-lane.js';
import type { InferenceScheduler } from '../scheduling/inference-scheduler.js';
import type { CallContext } from '../transport/call-context.js';
import type { ModelCatalogue, WantedVersion } from './model-catalogue.js';
import type { ModelResidency } from './model-residency.js';
import type { OnDemandVersions } from './on-demand-versions.js';
import type { ServedModel } from './served-model.js';
import type { ShadowTraffic } from './shadow-traffic.js';
import { StartQueue } from './start-queue.js';
import type { VersionSlot } from './version-slot.js';

export interface RunnerParts {
  catalogue: ModelCatalogue;
  residency: ModelResidency;
  onDemand: OnDemandVersions;
  /** told of each call that a canary answers by its share */
  onCanary(slot: VersionSlot): void;
  scheduler: InferenceScheduler;
  shadow: ShadowTraffic;
  lifecycle: WorkerLifecycle;
  maxRequestRows: number;
}

/** Finds the model of a call and runs the call's rows on it. */
export class ModelRunner {
  private readonly startQueue: StartQueue;

  constructor(private readonly parts: RunnerParts) {
    this.startQueue = new StartQueue(parts.lifecycle);
  }

  /**
   * Runs `work` with a version that stays loaded until it is done. A version that left memory is loaded first, and so is one that is
   * not served where the call may open it.
   *
   * @param wanted.version  a number, an alias, or empty: the version in service, or its canary
   * @throws DomainError INFERENCE_UNAVAILABLE when the worker starts, or a version gets back into memory, too late for the call;
   *   MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND, MODEL_REFUSED
   */
  async with<T>(
    wanted: WantedVersion,
    context: CallContext,
    work: (served: ServedModel) => Promise<T>,
  ): Promise<T> {
    await this.untilReachable(wanted, context);
    const { onDemand } = this.parts;
    if (onDemand.wants(wanted)) await onDemand.open(wanted, context.deadline);
    const slot = this.acquire(wanted, context);
    try {
      const served = slot.served ?? (await this.bring(slot, context));
      context.served = served;
      return await work(served);
    } finally {
      slot.release();
    }
  }

  /**
   * What a call has to wait for before {@link acquire} while the worker starts; undefined, as nearly always: nothing.
   *
   * @throws DomainError INFERENCE_UNAVAILABLE, see {@link StartQueue.wait}
   */
  untilReachable({ model }: WantedVersion, context: CallContext): Promise<void> | undefined {
    const { catalogue } = this.parts;
    if (!this.startQueue.isOpen || catalogue.findSlot(model)) return undefined;
    return this.startQueue.wait(() => catalogue.findSlot(model) !== undefined, context);
  }

  /**
   * The version of a call, which stays where it is until `release` is called on it.
   *
   * @throws DomainError MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND
   */
  acquire(wanted: WantedVersion, context: CallContext): VersionSlot {
    const slot = this.route(wanted, context);
    slot.acquire();
    if (slot.isCanary && wanted.version === '') this.parts.onCanary(slot);
    return slot;
  }

  /** Loads a version that left memory. @throws DomainError INFERENCE_UNAVAILABLE when that does not succeed in time */
  bring(slot: VersionSlot, { deadline }: CallContext): Promise<ServedModel> {
    return this.parts.residency.bring(slot, deadline);
  }

  private route(wanted: WantedVersion, { routingKey }: CallContext): VersionSlot {
    const { model, version } = wanted;
    return this.parts.catalogue.route({
      model,
      version,
      routingKey: routingKey === '' ? wanted.routingKey : routingKey,
    });
  }

  /** @throws DomainError what {@link InferenceScheduler.submit} throws */
  submit(lane: BatchLane, rows: RowSource, sink: ResultSink, context: CallContext): void {
    const { scheduler, catalogue, shadow } = this.parts;
    scheduler.submit(lane, rows, catalogue.hasShadows ? shadow.beside(lane, rows, sink) : sink, context);
  }

  get maxRequestRows(): number {
    return this.parts.maxRequestRows;
  }

  /** The bound on what one caller may send. @throws DomainError BATCH_TOO_LARGE, INVALID_INPUT without rows */
  assertRowCount(rows: number, path: string): void {
    const { maxRequestRows } = this.parts;
    if (!Number.isInteger(rows) || rows < 1) {
      throw new DomainError('INVALID_INPUT', `${path} must hold at least one row, got ${rows}`, { path });
    }
    if (rows > maxRequestRows) {
      throw new DomainError(
        'BATCH_TOO_LARGE',
        `${path} may hold ${maxRequestRows} rows, got ${rows}; send several requests`,
        { path },
      );
    }
  }
}
