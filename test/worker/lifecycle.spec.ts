import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Gate, GATE_NAMES } from '@sextant/artefacts';
import { ModelLifecycle, ModelVersions } from '@sextant/model-registry';
import { aCard } from '@sextant/model-registry/testing';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values } from './infer-wire.js';
import { printTable } from './print-table.js';
import { until } from './until.js';
import { aRepository, isSumOf, publishSum, sumInput, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const MODEL = 'demo.recommend';
const PASSED: Gate[] = GATE_NAMES.map((name) => ({ name, required: 'r', observed: 'o', passed: true }));
/** What the product promises for a rollback, the worker's poll included. */
const ROLLBACK_MS = 10_000;

describe('the lifecycle over a serving worker', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let repository: TestRepository;
  let worker: WorkerProcess;
  let caller: GrpcCaller;
  let lifecycle: ModelLifecycle;
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
    repository = await aRepository();
    const versions = new ModelVersions(client.db());
    await versions.ensureIndexes();
    lifecycle = new ModelLifecycle(repository.directory, versions);
    await promote(await published());
    // The poll of production, so that the time of a rollback is that of production.
    worker = await startWorkerProcess(repository.root, { INFERENCE_THREADS: '1', MODEL_POLL_MS: '2000' });
    caller = new GrpcCaller(worker.address, 2);
  });
  afterAll(async () => {
    caller.close();
    await worker.kill();
    await repository.remove();
    await client.close();
    await mongo.stop();
  });

  /** The next version, which multiplies by its number, as CANDIDATE. */
  const published = async (): Promise<string> => {
    const next = ((await repository.directory.listVersions(MODEL)).at(-1) ?? 0) + 1;
    const version = await publishSum(repository.directory, MODEL, next);
    const manifest = await repository.directory.readManifest(MODEL, version);
    const findings = { gates: PASSED, origin: 'TRAINED', by: 'test' } as const;
    return (await lifecycle.register(manifest, aCard(), findings)).id;
  };
  const promote = (versionId: string) =>
    lifecycle.promote({ tenantId: 'demo', versionId, to: 'LIVE', by: 'test' });
  /** Which version answers, once its answer was proven. */
  const answering = async (): Promise<number> => {
    const question = encodeInfer({ model: MODEL, id: 'q', inputs: [sumInput(3, 11)] });
    const { status, message, body } = await caller.call(INFER, question, { deadlineMs: 10_000 });
    expect([status, message]).toEqual([STATUS.OK, message]);
    const { version, outputs } = decodeInfer(body ?? Buffer.alloc(0));
    const answer = float32Values(outputs[0]?.bytes ?? Buffer.alloc(0));
    expect(isSumOf(answer, 3, { first: 11, scale: Number(version) })).toBe(true);
    return Number(version);
  };
  const answers = (version: number): Promise<unknown> =>
    until(`version ${version} to answer`, 20_000, async () => (await answering()) === version);
  const fileOf = (version: number): string => join(repository.root, MODEL, String(version), 'model.onnx');
  const damages: Record<string, (path: string) => Promise<void>> = {
    'cut short': (path) => truncate(path, 100),
    'changed in one bit': async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
    'replaced by that of another version': async (path) => writeFile(path, await readFile(fileOf(1))),
    gone: (path) => rm(path),
  };

  it.each(Object.keys(damages))(
    'refuses a file that is %s by its name, and the old version keeps answering',
    async (how) => {
      const before = await answering();
      const id = await published();
      const version = Number(id.split('@')[1]);
      await damages[how]?.(fileOf(version));
      await expect(promote(id)).rejects.toMatchObject({
        code: how === 'gone' ? 'ARTEFACT_INVALID' : 'ARTEFACT_HASH_MISMATCH',
        message: expect.stringContaining(`${MODEL}/${version}/model.onnx`),
      });
      expect(await answering()).toBe(before);

      // Past the lifecycle, by hand: the worker proves files itself, says which it refuses, and goes on with what it has.
      await repository.directory.setLiveVersion(MODEL, version);
      await until('the worker to refuse the file', 20_000, async () =>
        worker.output().includes(`${MODEL}/${version}/model.onnx`),
      );
      expect(await answering()).toBe(before);
      await repository.directory.setLiveVersion(MODEL, before);
    },
  );

  it('rolls back within ten seconds, the poll of the worker included', async () => {
    const before = await answering();
    const id = await published();
    await promote(id);
    await answers(Number(id.split('@')[1]));
    const startedAt = performance.now();
    await lifecycle.rollback({ tenantId: 'demo', model: MODEL, reason: 'it multiplies wrongly', by: 'test' });
    await answers(before);
    const tookMs = performance.now() - startedAt;
    printTable('rollback until the version before answers', [{ seconds: tookMs / 1000 }]);
    expect(tookMs).toBeLessThan(ROLLBACK_MS);
  });
});
