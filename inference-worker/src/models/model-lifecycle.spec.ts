import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { openInferenceService } from '@sextant/inference-protocol';
import { node } from '@sextant/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { infer, metadata, putPlain, refusalsOf, signature } from '../testing/plain-models.js';
import { aGraph, anIdentity } from '../testing/test-graphs.js';
import { aRepository, publishLead, type TestRepository } from '../testing/test-models.js';
import { eventually, sample, startTestWorker, type TestWorker } from '../testing/test-worker.js';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function repository(): Promise<TestRepository> {
  const made = await aRepository();
  cleanUp.push(() => made.remove());
  return made;
}

async function worker(root: string, env: Record<string, string> = {}): Promise<TestWorker> {
  const started = await startTestWorker(root, { MODEL_AUTOCOMPLETE: 'true', ...env });
  cleanUp.push(() => started.stop());
  return started;
}

describe('a plain ONNX file', () => {
  it('is served by the signature that it has, the newest version first', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'my_Model-1.x', 1);
    const target = await worker(directory.root);
    expect(await infer(target, 'my_Model-1.x')).toEqual({ version: '1', y: [-1, 2] });
    expect(await metadata(target, 'my_Model-1.x')).toMatchObject({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
      properties: { task: 'tensor' },
    });

    await putPlain(directory.root, 'my_Model-1.x', 2);
    await eventually(async () => (await infer(target, 'my_Model-1.x')).version === '2');
    expect(await infer(target, 'my_Model-1.x')).toEqual({ version: '2', y: [1, -2] });
  });

  it('is refused without MODEL_AUTOCOMPLETE, with that remedy', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root, { MODEL_AUTOCOMPLETE: 'false' });
    await expect(infer(target, 'plain')).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(await refusalsOf(target)).toMatchObject([
      { model: 'plain', version: 1, reason: expect.stringContaining('MODEL_AUTOCOMPLETE=true') as string },
    ]);
  });

  it('is loaded again when the file is replaced; a damaged one leaves the one before in service', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root);
    await putPlain(
      directory.root,
      'plain',
      1,
      aGraph([node('Abs', 'x -> y')], [signature('x')], [signature('y')]),
    );
    await eventually(async () => (await infer(target, 'plain')).y[0] === 1);

    await putPlain(directory.root, 'plain', 1, Buffer.from('no graph'));
    await putPlain(directory.root, 'plain', 2, Buffer.from('nor this'));
    await eventually(async () => (await refusalsOf(target)).length === 1);
    expect(await infer(target, 'plain')).toEqual({ version: '1', y: [1, 2] });
  });

  it('serves on while the next version is only a folder yet', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root);
    await mkdir(join(directory.root, 'plain', '2'));
    await putPlain(directory.root, 'other', 1);
    await eventually(() => infer(target, 'other').catch(() => undefined));
    expect(await infer(target, 'plain')).toEqual({ version: '1', y: [-1, 2] });
  });

  it('takes no decisions', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'demo.lead', 1);
    const target = await worker(directory.root);
    const call = target.client.scoreLeads(
      { model: 'demo.lead', rows: { rows: 1, numeric: [], categorical: [] } },
      { deadlineMs: 5_000 },
    );
    await expect(call).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('tensor') as string,
    });
  });
});

describe('several versions of a model', () => {
  const three = async (): Promise<TestRepository> => {
    const made = await repository();
    for (const version of [1, 2, 3]) await putPlain(made.directory.root, 'plain', version);
    await made.directory.setLiveVersion('plain', 1);
    return made;
  };

  it('are found by number and by alias once they are wanted', async () => {
    const { directory } = await three();
    await directory.setServing('plain', { aliases: { challenger: 2 }, versions: [3] });
    const target = await worker(directory.root);
    expect(await infer(target, 'plain')).toMatchObject({ version: '1' });
    expect(await infer(target, 'plain', { version: '3' })).toMatchObject({ version: '3', y: [1, 2] });
    expect(await infer(target, 'plain', { version: 'challenger' })).toMatchObject({
      version: '2',
      y: [1, -2],
    });
    expect((await metadata(target, 'plain')).versions).toEqual(['1', '2', '3']);
    await expect(infer(target, 'plain', { version: 'champion' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining('"champion"') as string,
    });

    await directory.setServing('plain', {});
    await eventually(async () => (await metadata(target, 'plain')).versions.length === 1);
    await expect(infer(target, 'plain', { version: '3' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('keep their configuration when the new one is bad, and the field is named', async () => {
    const { directory } = await three();
    await directory.setServing('plain', { aliases: { challenger: 2 } });
    const target = await worker(directory.root);
    await writeFile(join(directory.root, 'plain', 'serving.json'), '{"canary": {"version": 2, "share": 3}}');
    const refused = await eventually(async () => (await refusalsOf(target))[0]);
    expect(refused.reason).toContain('canary.share');
    await putPlain(directory.root, 'other', 1);
    await eventually(() => infer(target, 'other').catch(() => undefined));
    expect(sample(await target.metrics(), 'sextant_model_load_failures_total{model="plain"}')).toBe(1);
    expect(await infer(target, 'plain', { version: 'challenger' })).toMatchObject({ version: '2' });

    await directory.setServing('plain', { aliases: { champion: 2 } });
    await eventually(() => infer(target, 'plain', { version: 'champion' }).catch(() => undefined));
    expect(await refusalsOf(target)).toEqual([]);
  });

  it('do not fail one another: an alias of a version that is not there is refused, the rest serves', async () => {
    const { directory } = await three();
    await directory.setServing('plain', { aliases: { challenger: 9 }, canary: { version: 8, share: 1 } });
    const target = await worker(directory.root);
    expect(await infer(target, 'plain')).toMatchObject({ version: '1' });
    expect((await refusalsOf(target)).map(({ version }) => version).sort()).toEqual([8, 9]);
  });

  it('share the calls by their key while a canary is out, and every answer says the version', async () => {
    const { directory } = await three();
    await directory.setServing('plain', { canary: { version: 2, share: 0.3 } });
    const target = await worker(directory.root);
    const ids = Array.from({ length: 1_000 }, (_, i) => `customer-${i}`);
    const first = await Promise.all(ids.map((id) => infer(target, 'plain', { id })));
    const again = await Promise.all(ids.map((id) => infer(target, 'plain', { id })));
    expect(again.map(({ version }) => version)).toEqual(first.map(({ version }) => version));
    for (const { version, y } of first) expect(y).toEqual(version === '2' ? [1, -2] : [-1, 2]);
    const canary = first.filter(({ version }) => version === '2').length;
    expect(canary).toBeGreaterThan(220);
    expect(canary).toBeLessThan(380);
    expect(
      sample(await target.metrics(), 'sextant_model_canary_requests_total{model="plain",version="2"}'),
    ).toBe(2 * canary);

    await directory.setServing('plain', { canary: { version: 2, share: 1 } });
    await eventually(async () =>
      (await Promise.all(ids.slice(0, 20).map((id) => infer(target, 'plain', { id })))).every(
        ({ version }) => version === '2',
      ),
    );
    expect(await infer(target, 'plain', { version: '1' })).toMatchObject({ version: '1' });
  });

  it('run as a shadow beside the answers, compared and never seen', async () => {
    const { directory } = await three();
    await directory.setServing('plain', { shadow: { version: 3, share: 1 } });
    const target = await worker(directory.root);
    for (let i = 0; i < 20; i++)
      expect(await infer(target, 'plain', { x: [-1, 2] })).toMatchObject({ version: '1' });
    const of = async (name: string, more = ''): Promise<number> =>
      sample(await target.metrics(), `sextant_model_shadow_${name}{model="plain",version="3"${more}}`);
    await eventually(async () => (await of('runs_total', ',outcome="ok"')) > 0);
    const ok = await of('runs_total', ',outcome="ok"');
    expect(await of('absolute_difference_max')).toBe(2);
    expect((await of('absolute_difference_sum')) / (await of('values_total'))).toBe(1);
    expect(ok + (await of('runs_total', ',outcome="dropped"'))).toBeLessThanOrEqual(20);
  });

  it('count a shadow that does not fit the live version as failed, and serve on', async () => {
    const { directory } = await three();
    await putPlain(directory.root, 'plain', 3, anIdentity('FP32', [-1, 3]));
    await directory.setServing('plain', { shadow: { version: 3, share: 1 } });
    const target = await worker(directory.root);
    expect(await infer(target, 'plain')).toMatchObject({ version: '1' });
    await eventually(
      async () =>
        sample(
          await target.metrics(),
          'sextant_model_shadow_runs_total{model="plain",version="3",outcome="failed"}',
        ) === 1,
    );
  });
});

describe('memory', () => {
  it('is given back by a version that is idle, and the next call brings it back', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root, { MODEL_IDLE_UNLOAD_MS: '60' });
    const unloads = async (): Promise<number> =>
      sample(await target.metrics(), 'sextant_model_unloads_total{model="plain",reason="idle"}');
    await eventually(async () => (await unloads()) === 1);
    const answers = await Promise.all(Array.from({ length: 10 }, () => infer(target, 'plain')));
    for (const answer of answers) expect(answer).toEqual({ version: '1', y: [-1, 2] });
    expect(sample(await target.metrics(), 'sextant_model_loads_total{model="plain"}')).toBe(2);
    await eventually(async () => (await unloads()) === 2);
  });

  it('says why a version does not come back', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root, { MODEL_IDLE_UNLOAD_MS: '60', MODEL_POLL_MS: '3600000' });
    await eventually(
      async () =>
        sample(await target.metrics(), 'sextant_model_unloads_total{model="plain",reason="idle"}') === 1,
    );
    await putPlain(directory.root, 'plain', 1, Buffer.from('no graph'));
    await expect(infer(target, 'plain')).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('could not be loaded again') as string,
    });
  });

  it('is kept below the ceiling: the version that was idle longest leaves first', async () => {
    const { directory } = await repository();
    for (const model of ['a', 'b', 'c']) await putPlain(directory.root, model, 1);
    // Small models count about half a MiB each: two of them fit.
    const target = await worker(directory.root, { MODEL_MEMORY_BYTES: '1200000', INFERENCE_INLINE_MS: '0' });
    const inMemory = async (): Promise<string[]> =>
      ((await (await target.get('/models')).json()) as { serving: { model: string }[] }).serving.map(
        ({ model }) => model,
      );
    expect(await inMemory()).toEqual(['b', 'c']);
    await infer(target, 'b');
    expect(await infer(target, 'a')).toMatchObject({ version: '1' });
    expect(await inMemory()).toEqual(['a', 'b']);
    for (const model of ['a', 'b', 'c', 'a'])
      expect(await infer(target, model)).toMatchObject({ version: '1' });
  });

  it('refuses a model that is larger than the ceiling, with both figures', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root, { MODEL_MEMORY_BYTES: '1000' });
    const [refused] = await refusalsOf(target);
    expect(refused?.reason).toMatch(/about \d{6} bytes.*MODEL_MEMORY_BYTES is 1000/);
  });
});

describe('the model repository extension', () => {
  interface Line {
    name: string;
    version: string;
    state: string;
    reason: string;
  }
  const index = async (target: TestWorker, ready = false): Promise<Line[]> =>
    (await target.call<{ models: Line[] }>(openInferenceService, 'RepositoryIndex', { ready })).models;
  const load = (target: TestWorker, modelName: string): Promise<object> =>
    target.call(openInferenceService, 'RepositoryModelLoad', { modelName });
  const unload = (target: TestWorker, modelName: string): Promise<object> =>
    target.call(openInferenceService, 'RepositoryModelUnload', { modelName });

  it('lists what is ready and what is not, with the reason', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'good', 1);
    await putPlain(directory.root, 'bad', 1, Buffer.from('no graph'));
    await publishLead(directory);
    const target = await worker(directory.root);
    expect(await index(target, true)).toEqual([
      { name: 'demo.lead', version: '1', state: 'READY', reason: '' },
      { name: 'good', version: '1', state: 'READY', reason: '' },
    ]);
    const [bad] = await index(target);
    expect(bad).toMatchObject({ name: 'bad', version: '1', state: 'UNAVAILABLE' });
    expect(bad?.reason).not.toBe('');
  });

  it('does not load or unload while the repository decides', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root);
    for (const change of [load, unload]) {
      await expect(change(target, 'plain')).rejects.toMatchObject({
        code: status.FAILED_PRECONDITION,
        details: expect.stringContaining('MODEL_CONTROL_MODE=explicit') as string,
      });
    }
    expect(await infer(target, 'plain')).toMatchObject({ version: '1' });
  });

  it('loads in explicit mode what it is asked for, and an unload sticks', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'plain', 1);
    const target = await worker(directory.root, { MODEL_CONTROL_MODE: 'explicit' });
    expect(await index(target)).toMatchObject([{ name: 'plain', version: '', state: 'UNAVAILABLE' }]);
    await expect(infer(target, 'plain')).rejects.toMatchObject({ code: status.NOT_FOUND });

    await load(target, 'plain');
    expect(await infer(target, 'plain')).toMatchObject({ version: '1' });
    await putPlain(directory.root, 'plain', 2);
    expect(await infer(target, 'plain')).toMatchObject({ version: '1' });
    await load(target, 'plain');
    expect(await infer(target, 'plain')).toMatchObject({ version: '2' });

    await unload(target, 'plain');
    await expect(infer(target, 'plain')).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(unload(target, 'plain')).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(await index(target, true)).toEqual([]);
  });

  it('says what is wrong with a model that cannot be loaded, and takes no files of callers', async () => {
    const { directory } = await repository();
    await putPlain(directory.root, 'bad', 1, Buffer.from('no graph'));
    const target = await worker(directory.root, { MODEL_CONTROL_MODE: 'explicit' });
    for (const name of ['nope', '../etc', '']) {
      await expect(load(target, name)).rejects.toMatchObject({ code: status.NOT_FOUND });
    }
    await expect(load(target, 'bad')).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining('"bad" version 1') as string,
    });
    const withFile = {
      modelName: 'bad',
      parameters: { 'file:1/model.onnx': { bytesParam: Buffer.from('x') } },
    };
    await expect(target.call(openInferenceService, 'RepositoryModelLoad', withFile)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    await rm(join(directory.root, 'bad'), { recursive: true });
    expect(await index(target)).toMatchObject([{ name: 'bad', state: 'UNAVAILABLE' }]);
  });
});
