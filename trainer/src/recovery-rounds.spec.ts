import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Gate, GATE_NAMES, ModelDirectory } from '@sextant/artefacts';
import { ModelLifecycle, ModelVersions } from '@sextant/model-registry';
import { aCard, aDraft } from '@sextant/model-registry/testing';
import { startTestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { RecoveryRounds } from './recovery-rounds.js';

const MODEL = 'demo.recommend';
const LIMIT_MS = 20_000;
const PASSED: Gate[] = GATE_NAMES.map((name) => ({ name, required: 'r', observed: 'o', passed: true }));

it('ends a change that another process left half done, within a lease and a round', async () => {
  const mongo = await startTestMongo();
  const client = await new MongoClient(mongo.uri).connect();
  const root = await mkdtemp(join(tmpdir(), 'sextant-recovery-'));
  /** Stands still for good where the other process died. */
  class Stopped extends ModelDirectory {
    readonly reached = Promise.withResolvers<void>();
    override setLiveVersion(): Promise<void> {
      this.reached.resolve();
      return new Promise(() => undefined);
    }
  }
  const repository = new ModelDirectory(root);
  const versions = new ModelVersions(client.db());
  const lifecycle = new ModelLifecycle(repository, versions);
  const rounds = new RecoveryRounds(lifecycle, pino({ level: 'silent' }), 50);
  try {
    const manifest = await repository.publish(
      aDraft(MODEL),
      new Map([['model.onnx', Buffer.from('onnx')]]),
      aCard(),
    );
    const findings = { gates: PASSED, origin: 'TRAINED', by: 'test' } as const;
    const { id } = await lifecycle.register(manifest, aCard(), findings);
    const stopped = new Stopped(root);
    void new ModelLifecycle(stopped, versions).promote({
      ...{ tenantId: 'demo', versionId: id, to: 'LIVE', by: 'test' },
    });
    await stopped.reached.promise;
    expect((await versions.get('demo', id)).stage).toBe('CANDIDATE');

    const running = rounds.run();
    const deadline = Date.now() + LIMIT_MS;
    while ((await versions.get('demo', id)).stage !== 'LIVE') {
      if (Date.now() > deadline) throw new Error('the change was not brought to its end');
      await sleep(50);
    }
    expect((await repository.readEntry(MODEL)).live).toBe(1);
    rounds.stop();
    await running;
  } finally {
    rounds.stop();
    await client.close();
    await mongo.stop();
    await rm(root, { recursive: true, force: true });
  }
});
