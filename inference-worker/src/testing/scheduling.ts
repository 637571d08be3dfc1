import type { Job, JobResult } from '../onnx/thread-messages.js';
import type { BatchLane, LaneOptions, RowSource } from '../scheduling/batch-lane.js';
import { InferenceScheduler, type JobRunner } from '../scheduling/inference-scheduler.js';
import { CollectedRows, type RowsResult } from '../scheduling/rows-result.js';
import { type CallContext, PRIORITY, type Priority } from '../transport/call-context.js';

/** A runner whose batches end when the test says so; a score is its input plus one. */
export class HeldRunner implements JobRunner {
  onIdle = (): void => undefined;
  readonly jobs: { job: Job; end(): void; fail(error: Error): void }[] = [];
  private running = 0;

  constructor(private readonly threads = 1) {}

  threadsFor(): number {
    return this.threads;
  }

  hasIdleThreadFor(): boolean {
    return this.running < this.threads;
  }

  run(job: Job): Promise<JobResult> {
    this.running += 1;
    const values = Float32Array.from(job.inputs[0]?.data as Float32Array, (value) => value + 1);
    return new Promise<JobResult>((resolve, reject) => {
      this.jobs.push({
        job,
        end: () => resolve({ outputs: [{ data: values, dims: [job.rows, 1] }], computeMs: 1 }),
        fail: reject,
      });
    }).finally(() => {
      this.running -= 1;
      this.onIdle();
    });
  }

  /** Ends the batches one after the other as they come, and returns their row counts. */
  async drain(count: number): Promise<number[]> {
    for (let i = 0; i < count; i++) {
      await settled();
      this.jobs[i]?.end();
    }
    await settled();
    return this.jobs.map(({ job }) => job.rows);
  }
}

export const settled = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const quiet = {
  batchTaken: () => undefined,
  batchDone: () => undefined,
  batchRetried: () => undefined,
  requestShed: () => undefined,
};

export function scheduling(lane: Partial<LaneOptions> = {}): {
  runner: HeldRunner;
  scheduler: InferenceScheduler;
  lane: BatchLane;
} {
  const runner = new HeldRunner();
  const scheduler = new InferenceScheduler(runner, quiet);
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 1], rowShape: [1], width: 1 }];
  const options = {
    key: 'm@1',
    model: 'm',
    version: '1',
    program: 'score' as const,
    inputs,
    maxBatchRows: 4,
    maxPendingRows: 10,
    ...lane,
  };
  return { runner, scheduler, lane: scheduler.openLane(options) };
}

export function rows(values: number[], over: Partial<RowSource> = {}): RowSource {
  return {
    rows: values.length,
    bytesPerRow: 4,
    write: ([input], { from, count, at }) => {
      if (input) new Float32Array(input.buffer, input.byteOffset).set(values.slice(from, from + count), at);
    },
    ...over,
  };
}

/** A call that a test can cancel. */
export class TestCall implements CallContext {
  readonly tenant: string;
  readonly priority: Priority;
  readonly deadline: number;
  readonly isCounted = true;
  readonly routingKey = '';
  readonly traceparent = undefined;
  readonly tracestate = undefined;
  served: CallContext['served'];
  isCancelled = false;
  private readonly listeners: (() => void)[] = [];

  constructor({ tenant = '', priority = PRIORITY.NORMAL, inMs = 60_000 }: Partial<CallOptions> = {}) {
    this.tenant = tenant;
    this.priority = priority;
    this.deadline = Date.now() + inMs;
  }

  onCancelled(listener: () => void): void {
    if (this.isCancelled) listener();
    else this.listeners.push(listener);
  }

  cancel(): void {
    this.isCancelled = true;
    for (const listener of this.listeners) listener();
  }
}

export interface CallOptions {
  tenant: string;
  priority: Priority;
  inMs: number;
}

export const aCall = (options?: Partial<CallOptions>): TestCall => new TestCall(options);

/** Queues a request and collects the answers to its rows. */
export function run(
  scheduler: InferenceScheduler,
  lane: BatchLane,
  source: RowSource,
  context: CallContext,
): Promise<RowsResult> {
  return new Promise((resolve, reject) => {
    scheduler.submit(lane, source, new CollectedRows(source.rows, resolve, reject), context);
  });
}
