import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { spawnThreadThatLosesItsGpu } from '../testing/lost-gpu-thread.js';
import { anIdentity } from '../testing/test-graphs.js';
import { eventually } from '../testing/eventually.js';
import type { ProviderPlan } from './providers.js';
import { type ProviderFailure, SessionPool, type SessionPoolOptions } from './session-pool.js';
import { ModelRunError, ProviderLostError } from './session-thread.js';
import { THREAD_ENTRY } from './spawn-thread.js';
import type { Job, LoadedModel } from './thread-messages.js';

const pools: SessionPool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

async function start(over: Partial<SessionPoolOptions> = {}): Promise<SessionPool> {
  const pool = await SessionPool.start({ threads: 1, onThreadLost: () => undefined, ...over });
  pools.push(pool);
  return pool;
}

function model(over: Partial<LoadedModel> = {}): LoadedModel {
  const onnx = anIdentity('FP32', [-1, 2]);
  return { key: 'm@1/1', onnx, inputs: null, outputs: null, warmUpRows: [1], explainer: null, ...over };
}

function job(over: Partial<Job> = {}): Job {
  const inputs = [{ data: Float32Array.of(1, 2), dims: [1, 2] }];
  return { key: 'm@1/1', program: 'score', rows: 1, inputs, ...over };
}

describe('SessionPool on the CPU', () => {
  it('says what it opened and gives the input buffers of a job back', async () => {
    const pool = await start({ threads: 2 });
    const opened = await pool.load(model());
    expect(opened).toMatchObject({
      provider: 'cpu',
      attempts: [],
      inputs: [{ name: 'x', datatype: 'FP32' }],
    });
    expect(opened.memoryBytes).toBeGreaterThan(0);
    expect(pool.threadsFor(job())).toBe(2);

    const result = await pool.run(job());
    expect(result.outputs).toEqual([{ data: Float32Array.of(1, 2), dims: [1, 2] }]);
    expect(result.returned?.map(({ byteLength }) => byteLength)).toEqual([8]);
  });

  it('leaves a model on no thread that one of them refuses', async () => {
    const pool = await start();
    await expect(pool.load(model({ onnx: new Uint8Array(9) }))).rejects.toThrow('Failed to load model');

    expect(pool.hasIdleThreadFor(job())).toBe(false);
    await expect(pool.run(job())).rejects.toBeInstanceOf(RangeError);
  });

  it('calls a failing job the fault of the model', async () => {
    const pool = await start();
    await pool.load(model());
    const wrong = job({ inputs: [{ data: Float32Array.of(1, 2, 3), dims: [1, 3] }] });

    await expect(pool.run(wrong)).rejects.toBeInstanceOf(ModelRunError);
    expect((await pool.run(job())).outputs).toHaveLength(1);
  });

  it('falls back to it where the plan names a GPU that is not there, and says so', async () => {
    const failures: ProviderFailure[] = [];
    const plan: ProviderPlan = { providers: ['cuda', 'tensorrt', 'cpu'], strict: true };
    const pool = await start({ plan, onProviderFailed: (failure) => failures.push(failure) });
    const { provider, attempts } = await pool.load(model());

    expect(provider).toBe('cpu');
    expect(attempts.map((attempt) => attempt.provider)).toEqual(['cuda', 'tensorrt']);
    expect(failures).toEqual(attempts.map((each) => ({ key: 'm@1/1', during: 'load', now: 'cpu', ...each })));
    expect((await pool.run(job())).outputs).toHaveLength(1);
  });

  it('lets a model have a plan of its own, whole or in part', async () => {
    const pool = await start({ plan: { providers: ['cuda', 'cpu'], strict: true } });
    const onCpu = await pool.load(model({ plan: { providers: ['cpu'] } }));
    const usual = await pool.load(model({ key: 'n@1/2', plan: { strict: false } }));

    expect(onCpu.attempts).toEqual([]);
    expect(usual.attempts.map(({ provider }) => provider)).toEqual(['cuda']);
  });

  it('serves a model there when the thread for the GPU cannot start, and tries that again for the next', async () => {
    let threads = 0;
    const spawn = (): Worker =>
      ++threads === 2
        ? new Worker('process.exit(7)', { eval: true })
        : new Worker(THREAD_ENTRY, { execArgv: [] });
    const pool = await start({ plan: { providers: ['webgpu', 'cpu'], strict: true }, spawn });
    const first = await pool.load(model());
    const next = await pool.load(model({ key: 'n@1/2' }));

    expect(first).toMatchObject({
      provider: 'cpu',
      attempts: [{ provider: 'webgpu', failure: expect.stringContaining('ended with code 7') }],
    });
    expect(next.attempts[0]?.failure).not.toContain('thread');
    expect((await pool.run(job())).outputs).toHaveLength(1);
  });

  it('refuses a model whose plan has no provider that is there', async () => {
    const pool = await start();
    const plan: ProviderPlan = { providers: ['cuda'], strict: false };

    await expect(pool.load(model({ plan }))).rejects.toMatchObject({
      name: 'NoProviderError',
      attempts: [{ provider: 'cuda' }],
    });
  });
});

describe('SessionPool when a GPU is lost', () => {
  const spawn = (): Worker => spawnThreadThatLosesItsGpu();

  it('moves the model to the next provider, says so once, and lets the job be done again', async () => {
    const failures: ProviderFailure[] = [];
    const plan: ProviderPlan = { providers: ['cuda', 'cpu'], strict: false };
    const pool = await start({ plan, spawn, onProviderFailed: (failure) => failures.push(failure) });
    const opened = await pool.load(model());
    expect(opened.provider).toBe('cuda');
    expect(pool.threadsFor(job())).toBe(1);

    await expect(pool.run(job())).rejects.toBeInstanceOf(ProviderLostError);
    expect(pool.hasIdleThreadFor(job())).toBe(false);
    await eventually(() => pool.hasIdleThreadFor(job()));
    expect((await pool.run(job())).outputs[0]?.data).toEqual(Float32Array.of(1, 2));
    expect(failures).toEqual([
      { key: 'm@1/1', during: 'run', provider: 'cuda', failure: 'the device is lost', now: 'cpu' },
    ]);
    expect(opened).toMatchObject({
      provider: 'cpu',
      attempts: [{ provider: 'cuda', failure: 'the device is lost' }],
    });
  });

  it('fails the jobs of a model that has no provider left, at once', async () => {
    const failures: ProviderFailure[] = [];
    const plan: ProviderPlan = { providers: ['cuda'], strict: false };
    const pool = await start({ plan, spawn, onProviderFailed: (failure) => failures.push(failure) });
    await pool.load(model());
    await expect(pool.run(job())).rejects.toBeInstanceOf(ProviderLostError);

    await eventually(() => failures.length === 1);
    expect(failures[0]?.now).toBeNull();
    expect(pool.hasIdleThreadFor(job())).toBe(true);
    await expect(pool.run(job())).rejects.toBeInstanceOf(ModelRunError);
  });
});
