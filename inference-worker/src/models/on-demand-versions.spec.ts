import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toFeatureTable } from '@sextant/inference-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { infer, putPlain } from '../testing/plain-models.js';
import { aRepository, publishLead, publishTrees, type TestRepository } from '../testing/test-models.js';
import { eventually, startTestWorker, type TestWorker } from '../testing/test-worker.js';
import { ModelCatalogue } from './model-catalogue.js';
import { OnDemandVersions } from './on-demand-versions.js';
import type { ServedModel } from './served-model.js';
import { VersionSlot } from './version-slot.js';

const ROWS = toFeatureTable([{ visits: 2, channel: 'web' }]);

describe('a version that calls name and nobody serves', () => {
  let models: TestRepository;
  const workers: TestWorker[] = [];
  beforeEach(async () => {
    models = await aRepository();
    for (let version = 1; version <= 4; version++) await publishLead(models.directory);
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    await models.remove();
  });
  const aWorker = async (env: Record<string, string> = {}): Promise<TestWorker> => {
    const worker = await startTestWorker(models.directory.root, env);
    workers.push(worker);
    return worker;
  };
  const ask = async ({ client }: TestWorker, version: string, model = 'demo.lead') =>
    (await client.scoreLeads({ model, version, rows: ROWS }, { deadlineMs: 10_000 })).servedBy.version;
  const loaded = async (worker: TestWorker): Promise<string[]> => {
    const { serving } = (await (await worker.get('/models')).json()) as {
      serving: { model: string; version: string }[];
    };
    return serving.map(({ model, version }) => `${model}@${version}`).sort();
  };

  it('is opened for the call, once for all that ask at the same time, and takes no other calls', async () => {
    const worker = await aWorker();
    expect(await Promise.all(Array.from({ length: 20 }, () => ask(worker, '2')))).toEqual(
      Array<string>(20).fill('2'),
    );
    expect(await ask(worker, '')).toBe('4');
    expect(await loaded(worker)).toEqual(['demo.lead@2', 'demo.lead@4']);
    await models.directory.setServing('demo.lead', { idleUnloadMs: 0 });
    await models.directory.setLiveVersion('demo.lead', 3);
    await eventually(async () => (await ask(worker, '')) === '3');
    expect(await ask(worker, '2')).toBe('2');
  });

  it('answers for a model that is out of service, which stays so for calls that name no version', async () => {
    await models.directory.setLiveVersion('demo.lead', null);
    const worker = await aWorker();
    expect(await ask(worker, '1')).toBe('1');
    await expect(ask(worker, '')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await publishTrees(models.directory);
    await eventually(async () => (await ask(worker, '', 'demo.churn').catch(() => '')) === '1');
    expect(await ask(worker, '1')).toBe('1');
  });

  it('makes room for the next one when as many are open as may be', async () => {
    const worker = await aWorker({ MODEL_ON_DEMAND: '1' });
    for (const version of ['1', '2', '3', '1']) expect(await ask(worker, version)).toBe(version);
    await eventually(async () => (await loaded(worker)).join() === 'demo.lead@1,demo.lead@4');
  });

  it('never pushes out of memory what is served', async () => {
    const bytes = 1_600_000;
    const worker = await aWorker({ MODEL_MEMORY_BYTES: String(bytes) });
    for (const version of ['1', '2', '3']) expect(await ask(worker, version)).toBe(version);
    await eventually(async () => (await loaded(worker)).includes('demo.lead@4'));
    const small = await aWorker({ MODEL_MEMORY_BYTES: '700000' });
    await expect(
      small.client.scoreLeads({ model: 'demo.lead', version: '1', rows: ROWS }, { deadlineMs: 300 }),
    ).rejects.toMatchObject({ code: 'INFERENCE_UNAVAILABLE' });
    expect(await loaded(small)).toEqual(['demo.lead@4']);
  });

  it('is refused with its reason when its files are not what its manifest says', async () => {
    await appendFile(join(models.directory.root, 'demo.lead', '2', 'model.onnx'), 'x');
    const worker = await aWorker();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(ask(worker, '2')).rejects.toMatchObject({
        code: 'MODEL_REFUSED',
        message: expect.stringContaining('model.onnx is not the file the manifest describes') as string,
      });
    }
    expect(await ask(worker, '')).toBe('4');
  });

  it('is not found where the repository has none, nothing may be opened, or versions are loaded by call', async () => {
    const worker = await aWorker();
    for (const version of ['9', '0', 'x', '../1', '1e3'])
      await expect(ask(worker, version)).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
    await expect(ask(worker, '1', '../demo.lead')).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
    const closed = await aWorker({ MODEL_ON_DEMAND: '0' });
    await expect(ask(closed, '2')).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
    const explicit = await aWorker({ MODEL_CONTROL_MODE: 'explicit' });
    await expect(ask(explicit, '2')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('is opened by decisions only: the Open Inference Protocol serves what is served', async () => {
    await putPlain(models.directory.root, 'plain', 1);
    await putPlain(models.directory.root, 'plain', 2);
    const worker = await aWorker({ MODEL_AUTOCOMPLETE: 'true' });
    expect((await infer(worker, 'plain')).version).toBe('2');
    await expect(infer(worker, 'plain', { version: '1' })).rejects.toThrow('serves version 2');
  });
});

describe('OnDemandVersions', () => {
  it('lets go of a version a minute after the last call, never during one', () => {
    const catalogue = new ModelCatalogue();
    const slot = new VersionSlot(
      { model: 'demo.lead', version: '1', memoryBytes: 1 } as ServedModel,
      '',
      () => undefined,
    );
    slot.isOnDemand = true;
    catalogue.put(slot);
    const start = Date.now();
    const passed = { ms: 0 };
    const versions = new OnDemandVersions({
      catalogue,
      open: () => Promise.resolve(),
      most: 1,
      now: () => start + passed.ms,
    });
    slot.acquire();
    passed.ms = 120_000;
    versions.sweep();
    slot.release();
    passed.ms = 59_000;
    versions.sweep();
    expect(catalogue.slots()).toEqual([slot]);
    passed.ms = 61_000;
    versions.sweep();
    expect(catalogue.slots()).toEqual([]);
  });
});
