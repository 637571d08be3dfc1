import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDirectory } from '@sextant/artefacts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceServing, showServing } from './model-serving.js';

let root: string;
let repository: ModelDirectory;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sextant-models-'));
  repository = new ModelDirectory(root);
  for (const version of ['1', '2']) {
    await mkdir(join(root, 'demo.lead', version), { recursive: true });
    await writeFile(join(root, 'demo.lead', version, 'model.onnx'), 'onnx');
  }
  await repository.setLiveVersion('demo.lead', 1);
});
afterEach(() => rm(root, { recursive: true }));

describe('how a model is served', () => {
  it('is replaced as a whole and shown', async () => {
    const shown = await replaceServing(repository, 'demo.lead', '{"canary": {"version": 2, "share": 0.1}}');
    expect(JSON.parse(shown)).toMatchObject({
      live: 1,
      versions: [1, 2],
      serving: { canary: { version: 2, share: 0.1 } },
    });
    await replaceServing(repository, 'demo.lead', '{}');
    expect(JSON.parse(await showServing(repository, 'demo.lead'))).not.toHaveProperty('serving.canary');
  });

  it.each([
    ['{"canary": {"version": 2, "share": 2}}', 'ARTEFACT_INVALID', 'canary.share'],
    ['{"caanry": {}}', 'ARTEFACT_INVALID', 'caanry'],
    ['nothing', 'ARTEFACT_INVALID', 'JSON'],
    ['{"aliases": {"best": 3}}', 'MODEL_VERSION_NOT_FOUND', 'no version 3'],
  ])('stays as it is for %s', async (text, code, said) => {
    await expect(replaceServing(repository, 'demo.lead', text)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(said) as string,
    });
    expect((await repository.readEntry('demo.lead')).serving.aliases).toEqual({});
  });
});
