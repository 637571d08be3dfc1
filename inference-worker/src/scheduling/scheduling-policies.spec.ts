import { describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../onnx/thread-messages.js';
import { aCall, rows, run, scheduling, settled } from '../testing/scheduling.js';
import { PRIORITY } from '../transport/call-context.js';
import type { InlineRunner } from './batch-lane.js';
import { RunTimeModel } from './run-time-model.js';
import { TenantAccounts } from './tenant-accounts.js';

/** First value of each batch that ran, in order. */
const firstValues = (jobs: readonly { job: Job }[]): number[] =>
  jobs.map(({ job }) => Number((job.inputs[0]?.data as Float32Array)[0]));

describe('priorities', () => {
  it('let a later request of a higher level run first, within a level in order of arrival', async () => {
    const { runner, scheduler, lane } = scheduling({ maxBatchRows: 1 });
    const ask = (value: number, priority: 1 | 2 | 3 | 4) =>
      run(scheduler, lane, rows([value]), aCall({ priority }));
    const running = ask(0, PRIORITY.NORMAL);
    await settled();
    const answers = [
      ask(1, PRIORITY.LOW),
      ask(2, PRIORITY.NORMAL),
      ask(3, PRIORITY.NORMAL),
      ask(4, PRIORITY.HIGH),
      ask(5, PRIORITY.BACKGROUND),
    ];

    await runner.drain(6);
    await Promise.all([running, ...answers]);
    expect(firstValues(runner.jobs)).toEqual([0, 4, 2, 3, 1, 5]);
  });

  it('hold between models too', async () => {
    const { runner, scheduler, lane } = scheduling({ maxBatchRows: 1 });
    const other = scheduler.openLane({ ...lane.options, key: 'n@1', model: 'n' });
    const running = run(scheduler, lane, rows([0]), aCall());
    await settled();
    const later = [
      run(scheduler, lane, rows([1]), aCall({ priority: PRIORITY.LOW })),
      run(scheduler, other, rows([2]), aCall({ priority: PRIORITY.HIGH })),
    ];
    await runner.drain(3);
    await Promise.all([running, ...later]);
    expect(firstValues(runner.jobs)).toEqual([0, 2, 1]);
  });
});

describe('fair shares', () => {
  it('give two tenants of one model turns, however much one of them sends', async () => {
    const { runner, scheduler, lane } = scheduling({ maxBatchRows: 1, maxPendingRows: 100 });
    lane.runTime.observe(1, 10);
    const ask = (value: number, tenant: string) => run(scheduler, lane, rows([value]), aCall({ tenant }));
    const greedy = Array.from({ length: 8 }, (_, i) => ask(i, 'greedy'));
    const modest = [100, 101, 102].map((value) => ask(value, 'modest'));

    await runner.drain(11);
    await Promise.all([...greedy, ...modest]);
    const order = firstValues(runner.jobs);
    expect(order.indexOf(102)).toBeLessThanOrEqual(6);
    expect(order.filter((value) => value < 100)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('make room for a tenant in a queue that another one filled, newest first', async () => {
    const { runner, scheduler, lane } = scheduling({ maxBatchRows: 1, maxPendingRows: 4 });
    const greedy = [1, 2, 3, 4].map((value) =>
      run(scheduler, lane, rows([value]), aCall({ tenant: 'greedy' })),
    );
    const outcomes = Promise.allSettled(greedy);
    const modest = run(scheduler, lane, rows([100]), aCall({ tenant: 'modest' }));
    expect(lane.pendingRows).toBe(4);
    await expect(run(scheduler, lane, rows([5]), aCall({ tenant: 'greedy' }))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryAfterMs: expect.any(Number) as number,
    });

    await runner.drain(4);
    await expect(modest).resolves.toBeDefined();
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
  });

  it('save nothing up for a tenant that pauses', () => {
    const accounts = new TenantAccounts();
    accounts.arrived('a', 1);
    accounts.arrived('b', 1);
    for (let i = 0; i < 10; i++) accounts.charge('a', 10);
    accounts.arrived('late', 1);
    expect(accounts.servedOf('late')).toBeGreaterThanOrEqual(accounts.servedOf('b'));
    expect(accounts.servedOf('late')).toBeGreaterThanOrEqual(90);
  });

  it('remember the debt of a tenant that comes and goes while others wait, and nothing once nobody waits', () => {
    const accounts = new TenantAccounts();
    accounts.arrived('a', 5);
    accounts.arrived('b', 5);
    accounts.charge('a', 100);
    accounts.left('a', 5);
    accounts.arrived('a', 5);
    expect(accounts.servedOf('a')).toBe(100);
    accounts.left('a', 5);
    accounts.left('b', 5);
    expect([accounts.bytes, accounts.active]).toEqual([0, 0]);
    expect(accounts.servedOf('b')).toBe(accounts.servedOf('a'));
  });
});

describe('admission', () => {
  it('refuses at once what would be answered too late and says when to come again; what is in time gets in', async () => {
    const { runner, scheduler, lane } = scheduling({ maxBatchRows: 1, maxPendingRows: 100 });
    for (let i = 0; i < 5; i++) lane.runTime.observe(1, 100);
    const accepted = [1, 2, 3].map((value) => run(scheduler, lane, rows([value]), aCall({ inMs: 60_000 })));

    const refused = run(scheduler, lane, rows([4]), aCall({ inMs: 200 }));
    await expect(refused).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    const error = await refused.catch((reason: { retryAfterMs: number }) => reason);
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThanOrEqual(100);
    accepted.push(run(scheduler, lane, rows([5]), aCall({ inMs: 2_000 })));

    await runner.drain(4);
    await Promise.all(accepted);
  });

  it('lets a request into an idle worker whatever the estimate says, so that a wrong one is measured again', async () => {
    const { runner, scheduler, lane } = scheduling();
    for (let i = 0; i < 5; i++) lane.runTime.observe(1, 10_000);
    const answer = run(scheduler, lane, rows([1]), aCall({ inMs: 1_000 }));
    await runner.drain(1);
    await expect(answer).resolves.toBeDefined();
    expect(lane.runTime.estimate(1, 4)).toBeLessThan(10_000);
  });

  it('counts only what goes first: background work never keeps others out', async () => {
    const { runner, scheduler, lane } = scheduling({ maxBatchRows: 1, maxPendingRows: 100 });
    for (let i = 0; i < 5; i++) lane.runTime.observe(1, 100);
    const later = Array.from({ length: 20 }, (_, i) =>
      run(scheduler, lane, rows([i]), aCall({ priority: PRIORITY.BACKGROUND })),
    );
    const urgent = run(scheduler, lane, rows([100]), aCall({ priority: PRIORITY.HIGH, inMs: 500 }));
    await runner.drain(21);
    await Promise.all([urgent, ...later]);
    expect(firstValues(runner.jobs)[0]).toBe(100);
  });
});

describe('a queue delay', () => {
  it('holds a lone row back for company until it has passed, and no longer', async () => {
    const { runner, scheduler, lane } = scheduling({ maxQueueDelayMs: 30 });
    const started = performance.now();
    const answers = [run(scheduler, lane, rows([1]), aCall())];
    await settled();
    answers.push(run(scheduler, lane, rows([2]), aCall()));
    expect(runner.jobs).toHaveLength(0);
    while (runner.jobs.length === 0) await settled();
    expect(performance.now() - started).toBeGreaterThanOrEqual(29);
    expect(await runner.drain(1)).toEqual([2]);
    await Promise.all(answers);
  });

  it('ends early when the batch is full', async () => {
    const { runner, scheduler, lane } = scheduling({ maxQueueDelayMs: 60_000 });
    const answer = run(scheduler, lane, rows([1, 2, 3, 4]), aCall());
    expect(await runner.drain(1)).toEqual([4]);
    await answer;
  });
});

describe('the main thread', () => {
  const inline = (): InlineRunner & { batches: number[] } => ({
    batches: [],
    async run({ inputs, rows: count }: Job): Promise<JobResult> {
      this.batches.push(count);
      const values = Float32Array.from(inputs[0]?.data as Float32Array, (value) => value + 1);
      return { outputs: [{ data: values, dims: [count, 1] }], computeMs: 0.01 };
    },
    release: async () => undefined,
  });

  it('runs what takes less than it may be held up for, also while every thread is busy; the rest goes to threads', async () => {
    const { runner, scheduler, lane } = scheduling();
    const tiny = inline();
    lane.inline = tiny;
    for (let n = 1; n <= 2; n++) lane.inlineTime.observe(n, n * 0.2);
    const [first, large] = [
      run(scheduler, lane, rows([1]), aCall()),
      run(scheduler, lane, rows([2, 3, 4]), aCall()),
    ];
    await settled();
    runner.jobs[0]?.end();
    await Promise.all([first, large]);
    expect(tiny.batches).toEqual([]);
    expect(runner.jobs[0]?.job.rows).toBe(4);

    const busy = run(scheduler, lane, rows([5, 6, 7]), aCall());
    await settled();
    const beside = run(scheduler, lane, rows([8]), aCall());
    expect([...((await beside).outputs[0] as Float32Array)]).toEqual([9]);
    expect(tiny.batches).toEqual([1]);
    runner.jobs[1]?.end();
    await busy;
  });

  it('uses the memory of the last batch again, and no answer is changed by the next one', async () => {
    const { scheduler, lane } = scheduling();
    const tiny = inline();
    lane.inline = tiny;
    lane.inlineTime.observe(1, 0.001);
    const answers = [];
    for (const value of [1, 2, 3]) answers.push(await run(scheduler, lane, rows([value]), aCall()));
    expect(answers.map(({ outputs }) => (outputs[0] as Float32Array)[0])).toEqual([2, 3, 4]);
    expect(tiny.batches).toEqual([1, 1, 1]);
  });
});

describe('RunTimeModel', () => {
  it('finds the overhead and the time of a row', () => {
    const model = new RunTimeModel();
    for (let n = 1; n <= 50; n++) model.observe(n, 3 + 0.5 * n);
    expect(model.estimate(10, 100)).toBeCloseTo(8, 1);
    expect(model.estimate(40, 10)).toBeCloseTo(4 * 3 + 20, 0);
    expect(model.rowsWithin(13)).toBeGreaterThanOrEqual(19);
    expect(model.rowsWithin(13)).toBeLessThanOrEqual(20);
    expect(model.rowsWithin(2)).toBe(0);
  });

  it('knows nothing before the first observation, and puts batches of one size down to their rows', () => {
    const model = new RunTimeModel();
    expect([model.estimate(5, 5), model.rowsWithin(10), model.spread]).toEqual([0, 0, 0]);
    model.observe(4, 8);
    expect([model.estimate(4, 4), model.estimate(2, 4)]).toEqual([8, 4]);
  });

  it('is not carried away by one slow batch, follows a change that stays, and tells how far batches stray', () => {
    const model = new RunTimeModel();
    for (let i = 0; i < 100; i++) model.observe(1, 1);
    const calm = model.spread;
    model.observe(1, 1_000);
    expect(model.estimate(1, 1)).toBeLessThan(1.5);
    expect(model.spread).toBeGreaterThan(calm);
    for (let i = 0; i < 100; i++) model.observe(1, 20);
    expect(model.estimate(1, 1)).toBeGreaterThan(15);
  });
});
