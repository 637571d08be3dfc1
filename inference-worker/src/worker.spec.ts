import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type DecisionsClient, healthService, type RecommendResponse } from '@sextant/inference-protocol';
import { THREAD_ENTRY } from './onnx/spawn-thread.js';
import {
  aRepository,
  publishLead,
  publishRecommender,
  publishWideRecommender,
  type TestRepository,
} from './testing/test-models.js';
import { eventually, sample, startTestWorker, type TestWorker } from './testing/test-worker.js';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function repository(): Promise<TestRepository> {
  const made = await aRepository();
  cleanUp.push(() => made.remove());
  return made;
}

async function worker(root: string, env?: Record<string, string>, spawn?: () => Worker): Promise<TestWorker> {
  const started = await startTestWorker(root, env, spawn && { spawn });
  cleanUp.push(() => started.stop());
  return started;
}

const health = (target: TestWorker, service: string): Promise<{ status: string }> =>
  target.call(healthService, 'Check', { service });

const ask = (client: DecisionsClient, deadlineMs = 20_000, history = ['i0']): Promise<RecommendResponse> =>
  client.recommend({ model: 'demo.recommend', rows: [{ history, first: 1 }] }, { deadlineMs });

/** Wide enough that one row takes tens of milliseconds on one thread. */
const WIDE = 4_000;
/** One row a batch, so that a queue forms behind a running batch. */
const ONE_BY_ONE = { INFERENCE_MAX_BATCH_ROWS: '1' };

describe('a worker over an empty repository', () => {
  it('is ready with no model, and takes up the first one that is put live', async () => {
    const { directory } = await repository();
    const target = await worker(directory.root);
    for (const service of ['', 'liveness', 'startup', 'readiness']) {
      expect(await health(target, service)).toEqual({ status: 'SERVING' });
    }
    await expect(health(target, 'unheard-of')).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect((await target.get('/health/ready')).status).toBe(200);

    await publishRecommender(directory, { items: ['i0', 'i1'], matrix: Float32Array.of(0, 1, 1, 0, 0, 0) });
    const answer = await eventually(() => ask(target.client).catch(() => undefined));
    expect(answer.slates[0]?.items[0]?.item).toBe('i1');
  });

  it('is ready over a directory that does not exist yet', async () => {
    const { directory } = await repository();
    const target = await worker(join(directory.root, 'later'));
    expect(await health(target, 'readiness')).toEqual({ status: 'SERVING' });
  });
});

describe('a new version', () => {
  it('is refused when a file is not the one in the manifest; the version before stays in service and the refusal is seen', async () => {
    const { directory } = await repository();
    const matrix = Float32Array.of(0, 1, 1, 0, 0, 0);
    await publishRecommender(directory, { items: ['i0', 'i1'], matrix });
    const target = await worker(directory.root);
    const second = await directory.publish(
      await directory.readManifest('demo.recommend', 1),
      new Map((await directory.readVerified('demo.recommend', 1)).files),
      await directory.readCard('demo.recommend', 1),
    );
    await writeFile(join(directory.root, 'demo.recommend', String(second.version), 'model.onnx'), 'tampered');
    await directory.setLiveVersion('demo.recommend', second.version);

    await eventually(
      async () =>
        sample(await target.metrics(), 'sextant_model_load_failures_total{model="demo.recommend"}') === 1,
    );
    const { servedBy } = await ask(target.client);
    expect(servedBy.version).toBe('1');
    const models = (await (await target.get('/models')).json()) as {
      refused: { version: number; reason: string }[];
    };
    expect(models.refused).toMatchObject([
      { version: 2, reason: expect.stringContaining('is not the file') as string },
    ]);
  });

  it('is refused when its graph does not have the shapes of its manifest', async () => {
    const { directory } = await repository();
    await publishLead(directory);
    const { files } = await directory.readVerified('demo.lead', 1);
    const manifest = await directory.readManifest('demo.lead', 1);
    const renamed = {
      ...manifest,
      onnx: { ...manifest.onnx, outputs: [{ name: 'odds', datatype: 'FP32' as const, shape: [-1, 1] }] },
    };
    await directory.setLiveVersion(
      'demo.lead',
      (await directory.publish(renamed, files, await directory.readCard('demo.lead', 1))).version,
    );
    const target = await worker(directory.root);

    const models = (await (await target.get('/models')).json()) as { refused: { reason: string }[] };
    expect(models.refused[0]?.reason).toContain('odds');
    const call = target.client.scoreLeads(
      { model: 'demo.lead', rows: { rows: 1, numeric: [], categorical: [] } },
      { deadlineMs: 5_000 },
    );
    await expect(call).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('takes over with calls in flight unharmed, each answered by one version throughout', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, 300, 1);
    const target = await worker(directory.root, { INFERENCE_THREADS: '2' });
    const answers: RecommendResponse[] = [];
    let isDone = false;
    const caller = async (): Promise<void> => {
      while (!isDone) answers.push(await ask(target.client, 20_000, ['i0', 'i1']));
    };
    const callers = Array.from({ length: 8 }, caller);
    for (const scale of [2, 3]) {
      const version = String(await publishWideRecommender(directory, 300, scale));
      await eventually(() => answers.some(({ servedBy }) => servedBy.version === version));
    }
    isDone = true;
    await Promise.all(callers);

    for (const { servedBy, slates } of answers)
      expect(slates[0]?.items[0]?.score).toBe(2 * Number(servedBy.version));
    expect(sample(await target.metrics(), 'sextant_model_serving_version{model="demo.recommend"}')).toBe(3);
  });

  it('is not needed for a model to be retired: without a live version it is gone', async () => {
    const { directory, remove } = await repository();
    await publishLead(directory);
    const target = await worker(directory.root);
    await writeFile(join(directory.root, 'demo.lead', 'live'), '');
    await eventually(
      async () =>
        ((await (await target.get('/models')).json()) as { serving: unknown[] }).serving.length === 0,
    );
    await remove();
    expect(await health(target, 'readiness')).toEqual({ status: 'SERVING' });
  });
});

describe('under load', () => {
  it('refuses at once what the full queue cannot hold, and serves the rest in order', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, WIDE);
    const target = await worker(directory.root, {
      ...ONE_BY_ONE,
      INFERENCE_QUEUE_ROWS: '8',
      INFERENCE_MAX_REQUEST_ROWS: '8',
    });
    const finished: number[] = [];
    const calls = Array.from({ length: 40 }, (_, i) => ask(target.client).then(() => finished.push(i)));
    const outcomes = await Promise.allSettled(calls);

    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: 'QUEUE_FULL' });
    expect(finished.length).toBeGreaterThanOrEqual(8);
    expect(finished).toEqual(finished.toSorted((a, b) => a - b));
    expect(sample(await target.metrics(), 'sextant_inference_pending_rows')).toBe(0);
  });

  it('refuses at once what would come too late, and cancelled rows leave the queue before they cost a run', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, WIDE);
    const target = await worker(directory.root, ONE_BY_ONE);
    await ask(target.client);
    const runs = async (): Promise<number> =>
      sample(
        await target.metrics(),
        'sextant_inference_batch_rows_count{model="demo.recommend",program="decide"}',
      );
    const before = await runs();
    const rows = Array.from({ length: 30 }, () => ({ history: ['i0'], first: 1 }));
    const long = target.client.recommend({ model: 'demo.recommend', rows }, { deadlineMs: 20_000 });
    await eventually(async () => sample(await target.metrics(), 'sextant_inference_pending_rows') > 0);
    const abort = new AbortController();
    const cancelled = target.client.recommend(
      { model: 'demo.recommend', rows },
      { deadlineMs: 20_000, signal: abort.signal },
    );
    await expect(ask(target.client, 100)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    abort.abort(new Error('not wanted any more'));
    await expect(cancelled).rejects.toThrow('not wanted any more');
    await long;
    await eventually(async () => sample(await target.metrics(), 'sextant_inference_pending_rows') === 0);

    expect(await runs()).toBe(before + 30);
  });

  it('runs requests that wait together as one batch, each with its own rows', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, 50);
    const target = await worker(directory.root);
    const histories = Array.from({ length: 60 }, (_, i) =>
      Array.from({ length: (i % 7) + 1 }, (_, k) => `i${k}`),
    );
    const answers = await Promise.all(histories.map((history) => ask(target.client, 20_000, history)));

    answers.forEach(({ slates }, i) => expect(slates[0]?.items[0]?.score).toBe(histories[i]?.length));
    expect(Math.max(...answers.map(({ servedBy }) => servedBy.batchSize))).toBeGreaterThan(1);
  });
});

/** The real thread, which ends itself in its first batch instead of answering. */
const ENDS_ITSELF = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData).then(() => parentPort.on('message', ({ kind }) => kind === 'run' && process.exit(3)));
`;

describe('when an inference thread ends', () => {
  const ON_THREADS = { INFERENCE_INLINE_MS: '0' };
  const failing = (): Worker =>
    new Worker(ENDS_ITSELF, { eval: true, workerData: THREAD_ENTRY.href, execArgv: [] });
  const sound = (): Worker => new Worker(THREAD_ENTRY, { execArgv: [] });

  it('runs its batch again on the thread that replaces it', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, 50);
    let threads = 0;
    const target = await worker(directory.root, ON_THREADS, () => (++threads === 1 ? failing() : sound()));

    expect((await ask(target.client)).slates).toHaveLength(1);
    expect(threads).toBe(2);
    expect(sample(await target.metrics(), 'sextant_inference_threads_lost_total')).toBe(1);
    await expect(ask(target.client)).resolves.toBeDefined();
  });

  it('gives a batch up that ended two threads, and serves on', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, 50);
    let threads = 0;
    const target = await worker(directory.root, ON_THREADS, () => (++threads <= 2 ? failing() : sound()));

    await expect(ask(target.client)).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    await expect(ask(target.client)).resolves.toBeDefined();
  });
});

describe('shutting down', () => {
  it('finishes running calls and takes no new ones', async () => {
    const { directory } = await repository();
    await publishWideRecommender(directory, WIDE);
    const target = await startTestWorker(directory.root);
    const rows = Array.from({ length: 60 }, () => ({ history: ['i0'], first: 1 }));
    const running = target.client.recommend({ model: 'demo.recommend', rows }, { deadlineMs: 20_000 });
    await eventually(
      async () => sample(await target.metrics(), 'sextant_worker_rpc_total{rpc="Recommend"}') === 1,
    );
    const closed = target.worker.close();

    expect((await running).slates).toHaveLength(60);
    await closed;
    await expect(ask(target.client, 1_000)).rejects.toMatchObject({ code: 'INFERENCE_UNAVAILABLE' });
    target.client.close();
  });
});
