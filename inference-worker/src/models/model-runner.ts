import { DomainError } from '@sextant/domain';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import type { BatchLane } from '../scheduling/batch-lane.js';
import type { InferenceScheduler, RowsRequest, RowsResult } from '../scheduling/inference-scheduler.js';
import type { CallContext } from '../transport/call-context.js';
import type { ModelCatalogue } from './model-catalogue.js';
import type { ServedModel } from './served-model.js';

export interface RunnerParts {
  catalogue: ModelCatalogue;
  scheduler: InferenceScheduler;
  lifecycle: WorkerLifecycle;
  maxRequestRows: number;
}

/** Rows of one call, on the one core that every protocol goes through. */
export type Rows = Pick<RowsRequest, 'rows' | 'bytesPerRow' | 'write'>;

/** Finds the model of a call and runs the call's rows on it. */
export class ModelRunner {
  constructor(private readonly parts: RunnerParts) {}

  /**
   * Runs `work` with a version that stays loaded until it is done.
   *
   * @param wanted.version  empty: the version in service
   * @throws DomainError INFERENCE_UNAVAILABLE while the worker starts, MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND
   */
  with<T>(
    wanted: { model: string; version: string },
    context: CallContext,
    work: (served: ServedModel) => Promise<T>,
  ): Promise<T> {
    const { catalogue, lifecycle } = this.parts;
    if (lifecycle.state === 'starting' && !catalogue.find(wanted.model)) {
      throw new DomainError('INFERENCE_UNAVAILABLE', 'the worker is loading its models; try again shortly');
    }
    return catalogue.use(wanted, (served) => {
      context.served = { model: served.model, version: served.version };
      return work(served);
    });
  }

  /** @throws DomainError what {@link InferenceScheduler.run} throws */
  run(lane: BatchLane, rows: Rows, { deadline, signal }: CallContext): Promise<RowsResult> {
    return this.parts.scheduler.run(lane, { ...rows, deadline, signal });
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
