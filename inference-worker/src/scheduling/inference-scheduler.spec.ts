import { describe, expect, it } from 'vitest';
import { ModelRunError, ThreadLostError } from '../onnx/session-thread.js';
import { aCall, rows, run, scheduling, settled } from '../testing/scheduling.js';

describe('InferenceScheduler', () => {
  it('runs what came together as one batch, up to the cap, in order, and gives each caller its own rows', async () => {
    const { runner, scheduler, lane } = scheduling();
    const answers = [rows([1]), rows([2, 3]), rows([4, 5]), rows([6])].map((request) =>
      run(scheduler, lane, request, aCall()),
    );
    expect(scheduler.pendingRows).toBe(6);

    expect(await runner.drain(2)).toEqual([3, 3]);
    const outputs = (await Promise.all(answers)).map((answer) => [...(answer.outputs[0] as Float32Array)]);
    expect(outputs).toEqual([[2], [3, 4], [5, 6], [7]]);
    expect(scheduler.pendingRows).toBe(0);
  });

  it('splits a request that exceeds a batch and puts its answer together again', async () => {
    const { runner, scheduler, lane } = scheduling();
    const answer = run(scheduler, lane, rows([1, 2, 3, 4, 5, 6, 7, 8, 9]), aCall());

    expect(await runner.drain(3)).toEqual([4, 4, 1]);
    expect([...((await answer).outputs[0] as Float32Array)]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await answer).batchRows).toBe(4);
  });

  it('holds exactly as many rows as it may and refuses one more at once', async () => {
    const { runner, scheduler, lane } = scheduling();
    const full = run(scheduler, lane, rows([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), aCall());
    await expect(run(scheduler, lane, rows([11]), aCall())).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await expect(run(scheduler, lane, rows(new Array<number>(11).fill(0)), aCall())).rejects.toMatchObject({
      code: 'BATCH_TOO_LARGE',
    });

    await runner.drain(3);
    expect((await full).outputs[0]).toHaveLength(10);
  });

  it('refuses rows that would hold too much memory', async () => {
    const { scheduler, lane } = scheduling();
    await expect(
      run(scheduler, lane, rows([1], { bytesPerRow: 300 * 1024 * 1024 }), aCall()),
    ).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });
  });

  it('spends no run on rows whose deadline passed or whose caller went away while they waited', async () => {
    const { runner, scheduler, lane } = scheduling();
    const leaving = aCall();
    const running = run(scheduler, lane, rows([1]), aCall());
    await settled();
    const expired = run(scheduler, lane, rows([2]), aCall({ inMs: 0 }));
    const cancelled = run(scheduler, lane, rows([3]), leaving);
    const patient = run(scheduler, lane, rows([4]), aCall());
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
    const first = run(scheduler, lane, rows([0]), aCall());
    await settled();
    const waiting = [run(scheduler, other, rows([1]), aCall())];
    await new Promise((resolve) => setTimeout(resolve, 3));
    waiting.push(run(scheduler, lane, rows([2]), aCall()));
    expect(scheduler.oldestWaitMs(performance.now())).toBeGreaterThanOrEqual(2);

    await runner.drain(3);
    await Promise.all([first, ...waiting]);
    expect(runner.jobs.map(({ job }) => job.key)).toEqual(['m@1', 'n@1', 'm@1']);
  });

  it('runs a batch again, once, when its thread was lost, before anything else', async () => {
    const { runner, scheduler, lane } = scheduling();
    const [unlucky, later] = [
      run(scheduler, lane, rows([1, 2, 3, 4]), aCall()),
      run(scheduler, lane, rows([5]), aCall()),
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
    const answer = run(scheduler, lane, rows([1]), aCall());
    await settled();
    runner.jobs[0]?.fail(new ModelRunError('bad shape'));

    await expect(answer).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    expect(runner.jobs).toHaveLength(1);
  });
});
