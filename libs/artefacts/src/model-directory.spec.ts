import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ModelCard } from './manifest.js';
import { ModelDirectory } from './model-directory.js';

const MODEL = 'demo.recommend';
const measured = { ndcg10: { value: 0.2, low: 0.1, high: 0.3, level: 0.9 } };
const card: ModelCard = {
  purpose: 'p',
  trainingData: 'd',
  features: [],
  chosenBecause: 'c',
  metrics: measured,
  baselineMetrics: measured,
  limitations: ['l'],
  warnings: [],
};
const draft = {
  model: MODEL,
  tenantId: 'demo',
  trainedAt: '2026-03-01T00:00:00.000Z',
  seed: 1,
  dataSha256: 'a'.repeat(64),
  dataRows: 3,
  onnx: {
    opset: 20,
    inputs: [{ name: 'history', datatype: 'FP32' as const, shape: [-1, 2] }],
    outputs: [{ name: 'scores', datatype: 'FP32' as const, shape: [-1, 1] }],
  },
  metrics: measured,
  baselineMetrics: measured,
  warmUpBatchSizes: [1],
  spec: {
    task: 'recommend' as const,
    items: ['a'],
    components: [],
    rank: null,
    tauItems: null,
    excludeHistory: true,
    similarityFile: 'similarity.f32',
  },
};
const files = new Map([['model.onnx', Buffer.from('onnx')]]);

describe('ModelDirectory', () => {
  let root = '';
  let directory: ModelDirectory;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sextant-models-'));
    directory = new ModelDirectory(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('counts versions from 1 and leaves none half written', async () => {
    expect((await directory.publish(draft, files, card)).version).toBe(1);
    expect((await directory.publish(draft, files, card)).version).toBe(2);
    expect(await directory.listVersions(MODEL)).toEqual([1, 2]);
    expect(await directory.listModels()).toEqual([MODEL]);
  });

  it('serves nothing until a version is put live, then that one', async () => {
    await directory.publish(draft, files, card);
    expect(await directory.findLiveVersion(MODEL)).toBeNull();
    await directory.setLiveVersion(MODEL, 1);
    expect(await directory.findLiveVersion(MODEL)).toBe(1);
  });

  it('gives the files that the manifest describes', async () => {
    await directory.publish(draft, files, card);
    const { manifest, files: read } = await directory.readVerified(MODEL, 1);
    expect(manifest.files[0]?.bytes).toBe(4);
    expect(read.get('model.onnx')?.toString()).toBe('onnx');
  });

  it('refuses a file that was changed, cut short or removed, by name', async () => {
    await directory.publish(draft, files, card);
    const path = join(root, MODEL, '1', 'model.onnx');
    for (const content of ['ONNX', 'onn']) {
      await writeFile(path, content);
      await expect(directory.readVerified(MODEL, 1)).rejects.toThrow(
        expect.objectContaining({
          code: 'ARTEFACT_HASH_MISMATCH',
          message: expect.stringContaining('model.onnx'),
        }),
      );
    }
    await rm(path);
    await expect(directory.readVerified(MODEL, 1)).rejects.toThrow(
      expect.objectContaining({ code: 'ARTEFACT_INVALID' }),
    );
  });

  it('refuses a manifest that is cut short, or that belongs to another version', async () => {
    await directory.publish(draft, files, card);
    const path = join(root, MODEL, '1', 'manifest.json');
    const text = await readFile(path, 'utf8');
    for (const broken of [text.slice(0, 200), text.replace('"version": 1', '"version": 7'), '{}']) {
      await writeFile(path, broken);
      await expect(directory.readManifest(MODEL, 1)).rejects.toThrow(
        expect.objectContaining({ code: 'ARTEFACT_INVALID' }),
      );
    }
  });

  it('finds nothing in a directory that is not there yet', async () => {
    expect(await new ModelDirectory(join(root, 'absent')).listModels()).toEqual([]);
  });

  it('tells plain versions from described ones, and half made ones from both', async () => {
    await directory.publish(draft, files, card);
    const folder = (version: number): string => join(root, MODEL, String(version));
    await mkdir(folder(2));
    expect(await directory.findMark(MODEL, 1)).toMatchObject({ isPlain: false });
    expect(await directory.findMark(MODEL, 2)).toBeNull();

    await writeFile(join(folder(2), 'model.onnx'), 'plain');
    const mark = await directory.findMark(MODEL, 2);
    expect(mark).toMatchObject({ isPlain: true });
    expect(await directory.readVersion(MODEL, 2)).toEqual({
      manifest: null,
      files: new Map([['model.onnx', Buffer.from('plain')]]),
    });
    await writeFile(join(folder(2), 'model.onnx'), 'another');
    expect(await directory.findMark(MODEL, 2)).not.toEqual(mark);
  });

  it('lists what can be a model, follows links, and never leaves its root', async () => {
    await directory.publish(draft, files, card);
    await mkdir(join(root, '.hidden'));
    await mkdir(join(root, 'has space'));
    await symlink(join(root, MODEL), join(root, 'linked'));
    expect(await directory.listModels()).toEqual([MODEL, 'linked']);
    expect(await directory.listVersions('linked')).toEqual([1]);
    expect(await new ModelDirectory(join(root, MODEL)).listVersions('..')).toEqual([]);
  });
});
