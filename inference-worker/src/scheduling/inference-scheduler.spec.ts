import { describe, expect, it } from 'vitest';
import { ModelRunError, ThreadLostError } from '../onnx/session-thread.js';
import type { Job, JobResult } from '../onnx/thread-messages.js';
import type { TensorArray } from '../tensors/tensor.js';
import { type CallContext, PRIORITY, type Priority } from '../transport/call-context.js';
import type { BatchLane, LaneOptions, RowSource } from './batch-lane.js';
import { InferenceScheduler, type JobRunner } from './inference-scheduler.js';

/** A runner whose batches end when the test says so; a score is its input plus one. */
class HeldRunner implements JobRunner {
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

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const quiet = {
  batchTaken: () => undefined,
  batchDone: () => undefined,
  batchRetried: () => undefined,
  requestShed: () => undefined,
};

function scheduling(lane: Partial<LaneOptions> = {}): {
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

function rows(values: number[], over: Partial<RowSource> = {}): RowSource {
  return {
    rows: values.length,
    bytesPerRow: 4,
    write: ([input]: readonly TensorArray[], { from, count, at }) =>
      (input as Float32Array).set(values.slice(from, from + count), at),
    ...over,
  };
}

/** A call that a test can cancel. */
class TestCall implements CallContext {
  readonly tenant: string;
  readonly priority: Priority;
  readonly deadline: number;
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

interface CallOptions {
  tenant: string;
  priority: Priority;
  inMs: number;
}

const aCall = (options?: Partial<CallOptions>): TestCall => new TestCall(options);

describe('InferenceScheduler', () => {
  it('runs what came together as one batch, up to the cap, in order, and gives each caller its own rows', async () => {
    const { runner, scheduler, lane } = scheduling();
    const answers = [rows([1]), rows([2, 3]), rows([4, 5]), rows([6])].map((request) =>
      scheduler.run(lane, request, aCall()),
    );
    expect(scheduler.pendingRows).toBe(6);

    expect(await runner.drain(2)).toEqual([3, 3]);
    const outputs = (await Promise.all(answers)).map((answer) => [...(answer.outputs[0] as Float32Array)]);
    expect(outputs).toEqual([[2], [3, 4], [5, 6], [7]]);
    expect(scheduler.pendingRows).toBe(0);
  });

  it('splits a request that exceeds a batch and puts its answer together again', async () => {
    const { runner, scheduler, lane } = scheduling();
    const answer = scheduler.run(lane, rows([1, 2, 3, 4, 5, 6, 7, 8, 9]), aCall());

    expect(await runner.drain(3)).toEqual([4, 4, 1]);
    expect([...((await answer).outputs[0] as Float32Array)]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await answer).batchRows).toBe(4);
  });

  it('holds exactly as many rows as it may and refuses one more at once', async () => {
    const { runner, scheduler, lane } = scheduling();
    const full = scheduler.run(lane, rows([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), aCall());
    await expect(scheduler.run(lane, rows([11]), aCall())).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await expect(scheduler.run(lane, rows(new Array<number>(11).fill(0)), aCall())).rejects.toMatchObject({
      code: 'BATCH_TOO_LARGE',
    });

    await runner.drain(3);
    expect((await full).outputs[0]).toHaveLength(10);
  });

  it('refuses rows that would hold too much memory', async () => {
    const { scheduler, lane } = scheduling();
    await expect(
      scheduler.run(lane, rows([1], { bytesPerRow: 300 * 1024 * 1024 }), aCall()),
    ).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });
  });

  it('spends no run on rows whose deadline passed or whose caller went away while they waited', async () => {
    const { runner, scheduler, lane } = scheduling();
    const leaving = aCall();
    const running = scheduler.run(lane, rows([1]), aCall());
    await settled();
    const expired = scheduler.run(lane, rows([2]), aCall({ inMs: 0 }));
    const cancelled = scheduler.run(lane, rows([3]), leaving);
    const patient = scheduler.run(lane, rows([4]), aCall());
    const outcomes = Promise.allSettled([expired, cancelled]);
    leaving.cancel();
    await settled();
    expect(scheduler.pendingRows).toBe(2);

    expect(await runner.drain(2)).toEqual([1, 1]);
    expect(
      (await outcomes).map((outcome) => outcome.status === 'rejected' && (outcome.reason as Error).message),
    ).toEqual([expect.stringContaining('deadline passed'), expect.stringContaining('cancelled')]);
    expect([...((await patient).outputs[0] as Float32Array)]).toEqual([5]);
    await running;
  });

  it('serves the model whose head waited longest first', async () => {
    const { runner, scheduler, lane } = scheduling();
    const other = scheduler.openLane({ ...lane.options, key: 'n@1', model: 'n' });
    const first = scheduler.run(lane, rows([0]), aCall());
    await settled();
    const waiting = [scheduler.run(other, rows([1]), aCall())];
    await new Promise((resolve) => setTimeout(resolve, 3));
    waiting.push(scheduler.run(lane, rows([2]), aCall()));
    expect(scheduler.oldestWaitMs(performance.now())).toBeGreaterThanOrEqual(2);

    await runner.drain(3);
    await Promise.all([first, ...waiting]);
    expect(runner.jobs.map(({ job }) => job.key)).toEqual(['m@1', 'n@1', 'm@1']);
  });

  it('runs a batch again, once, when its thread was lost, before anything else', async () => {
    const { runner, scheduler, lane } = scheduling();
    const [unlucky, later] = [
      scheduler.run(lane, rows([1, 2, 3, 4]), aCall()),
      scheduler.run(lane, rows([5]), aCall()),
    ];
    await settled();
    runner.jobs[0]?.fail(new ThreadLostError('gone'));
    await settled();
    expect([...(runner.jobs[1]?.job.inputs[0]?.data as Float32Array)]).toEqual([1, 2, 3, 4]);
    runner.jobs[1]?.fail(new ThreadLostError('gone again'));

    await expect(unlucky).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    await settled();
    runner.jobs[2]?.end();
    expect([...((await later).outputs[0] as Float32Array)]).toEqual([6]);
  });

  it('does not run rows again that the model itself could not run', async () => {
    const { runner, scheduler, lane } = scheduling();
    const answer = scheduler.run(lane, rows([1]), aCall());
    await settled();
    runner.jobs[0]?.fail(new ModelRunError('bad shape'));

    await expect(answer).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    expect(runner.jobs).toHaveLength(1);
  });
});
