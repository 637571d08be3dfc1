import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gate, GATE_NAMES, type Manifest, ModelDirectory } from '@sextant/artefacts';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ModelLifecycle } from './model-lifecycle.js';
import type { Stage } from './model-version.js';
import { ModelVersions } from './model-versions.repository.js';
import { openModelRepository } from './open-model-repository.js';
import { aCard, aDraft } from './testing/model.fixture.js';

const MODEL = 'demo.lead';
const PASSED: Gate[] = GATE_NAMES.map((name) => ({ name, required: 'r', observed: 'o', passed: true }));
const LEASE_PASSES_MS = 10_000;

describe('ModelLifecycle', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let root: string;
  const clock = { at: new Date(), now: () => clock.at };
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(async () => {
    await client.db().dropDatabase();
    root = await mkdtemp(join(tmpdir(), 'sextant-lifecycle-'));
    clock.at = new Date();
    return () => rm(root, { recursive: true, force: true });
  });

  const aLifecycle = async (repository = new ModelDirectory(root)) => {
    const versions = new ModelVersions(client.db(), clock);
    await versions.ensureIndexes();
    const lifecycle = new ModelLifecycle(repository, versions, clock);
    const publish = async (gates = PASSED): Promise<string> => {
      const files = new Map([['model.onnx', Buffer.from(`onnx ${Math.random()}`)]]);
      const manifest: Manifest = await repository.publish(aDraft(MODEL), files, aCard());
      return (await lifecycle.register(manifest, aCard(), { gates, origin: 'TRAINED', by: 'trainer' })).id;
    };
    const promote = (versionId: string, to: Stage, more: { override?: string; share?: number } = {}) =>
      lifecycle.promote({ tenantId: 'demo', versionId, to, by: 'ann', ...more });
    const stages = async () =>
      Object.fromEntries(
        (await versions.list('demo', MODEL, 20)).map(({ version, stage }) => [version, stage]),
      );
    const served = async () => {
      const { live, serving } = await repository.readEntry(MODEL);
      return { live, canary: serving.canary, shadow: serving.shadow };
    };
    const rollback = () => lifecycle.rollback({ tenantId: 'demo', model: MODEL, reason: 'worse', by: 'ann' });
    return { repository, versions, lifecycle, publish, promote, stages, served, rollback };
  };

  it('keeps a version loaded that does not serve, beside the shares that others get, until told otherwise', async () => {
    const { repository, lifecycle, publish, promote, stages, served } = await aLifecycle();
    const [first, second] = [await publish(), await publish()];
    await promote(first, 'LIVE');
    const model = { tenantId: 'demo', model: MODEL };
    await Promise.all([
      lifecycle.keepLoaded(model, 1, true),
      lifecycle.keepLoaded(model, 2, true),
      promote(second, 'CANARY', { share: 0.25 }),
      lifecycle.keepLoaded(model, 1, true),
    ]);
    expect((await repository.readEntry(MODEL)).serving.versions.toSorted()).toEqual([1, 2]);
    expect(await served()).toMatchObject({ live: 1, canary: { version: 2, share: 0.25 } });
    expect(await stages()).toEqual({ 1: 'LIVE', 2: 'CANARY' });
    await lifecycle.keepLoaded(model, 1, false);
    expect((await repository.readEntry(MODEL)).serving.versions).toEqual([2]);
  });

  it('leads a version through every stage, in the repository and in the records', async () => {
    const { versions, publish, promote, stages, served } = await aLifecycle();
    const [first, second] = [await publish(), await publish()];
    await promote(first, 'LIVE');
    expect(await served()).toMatchObject({ live: 1 });
    await promote(second, 'SHADOW');
    expect(await served()).toEqual({ live: 1, shadow: { version: 2, share: 0.1 }, canary: undefined });
    await promote(second, 'CANARY', { share: 0.25 });
    expect(await served()).toEqual({ live: 1, canary: { version: 2, share: 0.25 }, shadow: undefined });
    expect(await versions.find('demo', second)).toMatchObject({ stage: 'CANARY', share: 0.25 });
    const { version } = await promote(second, 'LIVE');
    expect(version).toMatchObject({ stage: 'LIVE', share: null });
    expect(await served()).toEqual({ live: 2, canary: undefined, shadow: undefined });
    expect(await stages()).toEqual({ 1: 'RETIRED', 2: 'LIVE' });
    expect(version.history.map(({ from, to, by }) => [from, to, by])).toEqual([
      [null, 'CANDIDATE', 'trainer'],
      ['CANDIDATE', 'SHADOW', 'ann'],
      ['SHADOW', 'CANARY', 'ann'],
      ['CANARY', 'LIVE', 'ann'],
    ]);
    const steps = version.history.length;
    expect((await promote(second, 'LIVE')).version.history).toHaveLength(steps);
  });

  it('has one version a stage: who is replaced retires', async () => {
    const { versions, publish, promote, stages, served } = await aLifecycle();
    const ids = [await publish(), await publish(), await publish()] as const;
    await promote(ids[0], 'LIVE');
    await promote(ids[1], 'CANARY');
    await promote(ids[2], 'CANARY');
    expect(await stages()).toEqual({ 1: 'LIVE', 2: 'RETIRED', 3: 'CANARY' });
    expect(await served()).toMatchObject({ live: 1, canary: { version: 3 } });
    expect((await versions.find('demo', ids[1]))?.history.at(-1)?.reason).toBe('replaced by demo.lead@3');
  });

  it('names the gates that block a version, and keeps who overrode them and why', async () => {
    const { publish, promote, served } = await aLifecycle();
    const gates = PASSED.map((gate) => ({ ...gate, passed: gate.name !== 'fairness' }));
    const id = await publish(gates);
    const refused = await promote(id, 'LIVE');
    expect(refused.blockedBy.map(({ name }) => name)).toEqual(['fairness']);
    expect(refused.version.stage).toBe('CANDIDATE');
    await expect(promote(id, 'LIVE', { override: 'go on' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect((await served()).live).toBeNull();
    const override = 'legal has seen the gap';
    const { version, blockedBy } = await promote(id, 'LIVE', { override });
    expect(blockedBy).toEqual([]);
    expect(version.history.at(-1)).toMatchObject({ to: 'LIVE', reason: override, overridden: ['fairness'] });
  });

  it('lets nothing pass that was never measured', async () => {
    const { publish, promote } = await aLifecycle();
    const { blockedBy } = await promote(await publish([]), 'LIVE');
    expect(blockedBy).toMatchObject([{ name: 'complete-card', observed: 'none was' }]);
  });

  it('refuses ways back, challengers without a champion, shares that are none and other tenants', async () => {
    const { lifecycle, publish, promote } = await aLifecycle();
    const id = await publish();
    await expect(promote(id, 'CANARY')).rejects.toMatchObject({ code: 'MODEL_STAGE_INVALID' });
    await promote(id, 'LIVE');
    for (const to of ['SHADOW', 'CANARY', 'RETIRED'] as const)
      await expect(promote(id, to)).rejects.toMatchObject({ code: 'MODEL_STAGE_INVALID' });
    await expect(promote(id, 'CANDIDATE')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const other = await publish();
    for (const share of [0, -0.1, 1.1, Number.NaN])
      await expect(promote(other, 'CANARY', { share })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(
      lifecycle.promote({ tenantId: 'rival', versionId: id, to: 'LIVE', by: 'eve' }),
    ).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
  });

  it('goes back version by version, and never to one that was rolled back from', async () => {
    const { publish, promote, rollback, stages, served } = await aLifecycle();
    for (const id of [await publish(), await publish(), await publish()]) await promote(id, 'LIVE');
    expect(await rollback()).toMatchObject({ version: 2, stage: 'LIVE' });
    expect(await rollback()).toMatchObject({ version: 1, stage: 'LIVE' });
    await expect(rollback()).rejects.toMatchObject({ code: 'MODEL_STAGE_INVALID' });
    expect([(await served()).live, await stages()]).toEqual([1, { 1: 'LIVE', 2: 'RETIRED', 3: 'RETIRED' }]);
    await promote('demo.lead@3', 'LIVE');
    expect(await rollback()).toMatchObject({ version: 1 });
  });

  it('goes back to the version before where no order was kept yet', async () => {
    const { publish, promote, rollback } = await aLifecycle();
    for (const id of [await publish(), await publish()]) await promote(id, 'LIVE');
    await client.db().collection('model_stage_states').drop();
    await client
      .db()
      .collection('model_versions')
      .updateMany({}, { $unset: { history: 1 } });
    expect(await rollback()).toMatchObject({ version: 1, stage: 'LIVE' });
  });

  it('retires a challenger, and a whole model that can come back', async () => {
    const { lifecycle, publish, promote, rollback, stages, served } = await aLifecycle();
    const [first, second] = [await publish(), await publish()];
    await promote(first, 'LIVE');
    await promote(second, 'SHADOW');
    const why = { tenantId: 'demo', reason: 'slower', by: 'guard' };
    expect(await lifecycle.stop({ ...why, versionId: second })).toMatchObject({
      stage: 'RETIRED',
      share: null,
    });
    expect(await served()).toEqual({ live: 1, canary: undefined, shadow: undefined });
    expect((await lifecycle.retire({ ...why, model: MODEL })).map(({ id }) => id)).toEqual([first]);
    expect([(await served()).live, await stages()]).toEqual([null, { 1: 'RETIRED', 2: 'RETIRED' }]);
    expect(await rollback()).toMatchObject({ id: first, stage: 'LIVE' });
  });

  it('proves files before anything moves: cut short, changed, or another one with its own manifest', async () => {
    const { publish, promote, served, stages } = await aLifecycle();
    await promote(await publish(), 'LIVE');
    const damage = async (id: string, how: (path: string) => Promise<void>): Promise<string> => {
      await how(join(root, MODEL, id.split('@')[1] ?? '', 'model.onnx'));
      return id;
    };
    const cut = await damage(await publish(), (path) => truncate(path, 3));
    const changed = await damage(await publish(), async (path) => {
      const bytes = await readFile(path);
      bytes[0] = 0;
      await writeFile(path, bytes);
    });
    for (const id of [cut, changed]) {
      await expect(promote(id, 'LIVE')).rejects.toMatchObject({
        code: 'ARTEFACT_HASH_MISMATCH',
        message: expect.stringContaining(`${id.replace('@', '/')}/model.onnx`),
      });
    }
    const swapped = await publish();
    await rm(join(root, MODEL, '4'), { recursive: true });
    await new ModelDirectory(root).publish(
      aDraft(MODEL),
      new Map([['model.onnx', Buffer.from('x')]]),
      aCard(),
    );
    await expect(promote(swapped, 'LIVE')).rejects.toThrow(/is not the file that was recorded/);
    expect((await served()).live).toBe(1);
    expect((await stages())[1]).toBe('LIVE');
  });

  it('lets callers at once come one after the other, and ends in one state in both stores', async () => {
    const one = await aLifecycle();
    const two = await aLifecycle();
    const ids = [await one.publish(), await one.publish(), await one.publish(), await one.publish()];
    await Promise.all(ids.map((id, i) => (i % 2 ? one : two).promote(id, 'LIVE')));
    const live = (await one.versions.list('demo', MODEL, 9)).filter(({ stage }) => stage === 'LIVE');
    expect(live).toHaveLength(1);
    expect((await one.served()).live).toBe(live[0]?.version);
    expect(Object.values(await one.stages()).filter((stage) => stage === 'RETIRED')).toHaveLength(3);
  });

  it('keeps settings of the model that are not its own', async () => {
    const { repository, publish, promote } = await aLifecycle();
    await promote(await publish(), 'LIVE');
    await repository.setServing(MODEL, { aliases: { stable: 1 }, batching: { maxRows: 8 } });
    await promote(await publish(), 'CANARY');
    expect((await repository.readEntry(MODEL)).serving).toMatchObject({
      aliases: { stable: 1 },
      batching: { maxRows: 8 },
      canary: { version: 2, share: 0.05 },
    });
  });

  it('undoes a change that the repository refuses half-way', async () => {
    class FullDisk extends ModelDirectory {
      isFull = false;
      override async setServing(...change: Parameters<ModelDirectory['setServing']>): Promise<void> {
        if (this.isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return super.setServing(...change);
      }
    }
    const repository = new FullDisk(root);
    const { publish, promote, stages, served, rollback } = await aLifecycle(repository);
    const ids = [await publish(), await publish(), await publish()] as const;
    await promote(ids[0], 'LIVE');
    await promote(ids[1], 'CANARY');
    repository.isFull = true;
    await expect(promote(ids[1], 'LIVE')).rejects.toThrow('no space left');
    repository.isFull = false;
    expect(await served()).toMatchObject({ live: 1, canary: { version: 2 } });
    expect(await stages()).toEqual({ 1: 'LIVE', 2: 'CANARY', 3: 'CANDIDATE' });
    await promote(ids[1], 'LIVE');
    expect(await rollback()).toMatchObject({ version: 1 });
  });

  describe.each(['before the pointer', 'after the pointer', 'after the shares'])(
    'a process that is killed %s',
    (point) => {
      it('leaves a change that the next process finishes, once', async () => {
        const { lifecycle, versions, publish, promote, stages, served } = await aLifecycle();
        await promote(await publish(), 'LIVE');
        const second = await publish();
        await promote(second, 'CANARY');
        expect(await killedPromotion({ uri: mongo.uri, root, versionId: second, point })).toBe('SIGKILL');
        expect((await served()).live).toBe(point === 'before the pointer' ? 1 : 2);
        expect(await stages()).toEqual({ 1: 'LIVE', 2: 'CANARY' });

        clock.at = new Date(Date.now() + LEASE_PASSES_MS);
        await Promise.all([lifecycle.recover(), (await aLifecycle()).lifecycle.recover()]);
        expect(await served()).toEqual({ live: 2, canary: undefined, shadow: undefined });
        expect(await stages()).toEqual({ 1: 'RETIRED', 2: 'LIVE' });
        const history = (await versions.find('demo', second))?.history ?? [];
        expect(history.filter(({ to }) => to === 'LIVE')).toHaveLength(1);
      });
    },
  );

  it('goes on by itself after such a death: the next change first ends the old one', async () => {
    const { publish, promote, rollback, served } = await aLifecycle();
    await promote(await publish(), 'LIVE');
    const second = await publish();
    await killedPromotion({ uri: mongo.uri, root, versionId: second, point: 'after the pointer' });
    clock.at = new Date(Date.now() + LEASE_PASSES_MS);
    expect(await rollback()).toMatchObject({ version: 1, stage: 'LIVE' });
    expect((await served()).live).toBe(1);
  });

  it('sets right what a process wrote that stood still for longer than its lease', async () => {
    class Slow extends ModelDirectory {
      pause: (() => Promise<unknown>) | null = null;
      override async setLiveVersion(...change: Parameters<ModelDirectory['setLiveVersion']>): Promise<void> {
        const pause = this.pause;
        this.pause = null;
        await pause?.();
        return super.setLiveVersion(...change);
      }
    }
    const repository = new Slow(root);
    const slow = await aLifecycle(repository);
    const quick = await aLifecycle();
    const ids = [await slow.publish(), await slow.publish(), await slow.publish()] as const;
    await slow.promote(ids[0], 'LIVE');
    repository.pause = async () => {
      clock.at = new Date(clock.at.getTime() + LEASE_PASSES_MS);
      await quick.promote(ids[2], 'LIVE');
    };
    await slow.promote(ids[1], 'LIVE');
    expect(await quick.stages()).toEqual({ 1: 'RETIRED', 2: 'RETIRED', 3: 'LIVE' });
    expect((await quick.served()).live).toBe(3);
  });

  it('works over GridFS as over a directory', async () => {
    const where = `${mongo.uri}${mongo.uri.includes('?') ? '&' : '?'}bucket=models`;
    const repository = await openModelRepository(where);
    try {
      const { publish, promote, served, rollback, stages } = await aLifecycle(repository as ModelDirectory);
      await promote(await publish(), 'LIVE');
      await promote(await publish(), 'CANARY', { share: 0.5 });
      expect(await served()).toMatchObject({ live: 1, canary: { version: 2, share: 0.5 } });
      await promote('demo.lead@2', 'LIVE');
      await rollback();
      expect([(await served()).live, await stages()]).toEqual([1, { 1: 'LIVE', 2: 'RETIRED' }]);
    } finally {
      await repository.close();
    }
  });
});

/** Promotes to LIVE in a process of its own that dies at the given point. @returns how it ended */
async function killedPromotion(order: {
  uri: string;
  root: string;
  versionId: string;
  point: string;
}): Promise<string> {
  const program = `
    import { ModelDirectory } from '@sextant/artefacts';
    import { ModelLifecycle, ModelVersions } from '@sextant/model-registry';
    import { MongoClient } from 'mongodb';
    const { uri, root, versionId, point } = JSON.parse(process.argv[1]);
    const dieAt = (here) => new Promise((goOn) => {
      if (here === point) process.kill(process.pid, 'SIGKILL');
      else goOn();
    });
    class Deadly extends ModelDirectory {
      async setLiveVersion(...change) {
        await dieAt('before the pointer');
        await super.setLiveVersion(...change);
        await dieAt('after the pointer');
      }
      async setServing(...change) {
        await super.setServing(...change);
        await dieAt('after the shares');
      }
    }
    const client = await new MongoClient(uri).connect();
    const lifecycle = new ModelLifecycle(new Deadly(root), new ModelVersions(client.db()));
    await lifecycle.promote({ tenantId: 'demo', versionId, to: 'LIVE', by: 'doomed' });
    await client.close();`;
  const args = ['--input-type=module', '-e', program, JSON.stringify(order)];
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? String(code);
}
