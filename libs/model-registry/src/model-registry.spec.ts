import type { Manifest, ModelCard } from '@sextant/artefacts';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ModelVersions } from './model-versions.repository.js';
import { MAX_ATTEMPTS, TrainingJobs } from './training-jobs.repository.js';

const LEASE_MS = 1_000;

describe('model registry', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  const clock = { at: new Date(), now: () => clock.at };
  const pass = (ms: number): void => void (clock.at = new Date(clock.at.getTime() + ms));
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(() => client.db().dropDatabase());

  describe('TrainingJobs', () => {
    const aQueue = async (): Promise<TrainingJobs> => {
      const jobs = new TrainingJobs(client.db(), clock);
      await jobs.ensureIndexes();
      return jobs;
    };
    const claimed = async (jobs: TrainingJobs) => {
      const claim = await jobs.claim(LEASE_MS);
      if (!claim) throw new Error('there was nothing to claim');
      return claim;
    };

    it('makes one job of one key in one tenant, and refuses the key for another request', async () => {
      const jobs = await aQueue();
      const request = { tenantId: 'demo', task: 'lead', idempotencyKey: 'k' } as const;
      const made = await Promise.all(Array.from({ length: 5 }, () => jobs.enqueue(request)));
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      expect((await jobs.enqueue({ ...request, tenantId: 'other' })).id).not.toBe(made[0]?.id);
      await expect(jobs.enqueue({ ...request, task: 'price' })).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
      await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      expect(await jobs.list('demo', 10)).toHaveLength(3);
    });

    it('gives each job to one trainer, oldest first', async () => {
      const jobs = await aQueue();
      const first = await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      pass(1);
      const second = await jobs.enqueue({ tenantId: 'other', task: 'price' });
      const claims = await Promise.all([jobs.claim(LEASE_MS), jobs.claim(LEASE_MS), jobs.claim(LEASE_MS)]);
      const ids = claims.flatMap((claim) => (claim ? [claim.job.id] : []));
      expect(ids.toSorted()).toEqual([first.id, second.id].toSorted());
      expect(claims.find((claim) => claim?.job.id === first.id)?.job).toMatchObject({
        state: 'RUNNING',
        attempts: 1,
      });
    });

    it('shows progress to its tenant only, bounds it, and keeps the newest 200 lines', async () => {
      const jobs = await aQueue();
      await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      const { job, lease } = await claimed(jobs);
      const log = Array.from({ length: 250 }, (_, i) => `${i} ${'x'.repeat(600)}`);
      expect(await jobs.report(lease, { progress: 1.5, step: 'fit', etaSeconds: 2.4, log })).toBe(true);
      const seen = await jobs.find('demo', job.id);
      expect(seen).toMatchObject({ progress: 1, step: 'fit', etaSeconds: 2 });
      expect([seen?.log.length, seen?.log[0]?.slice(0, 3), seen?.log[0]?.length]).toEqual([200, '50 ', 500]);
      expect(await jobs.find('other', job.id)).toBeNull();
    });

    it('takes a job up again after its trainer died, and lets the dead one write no more', async () => {
      const jobs = await aQueue();
      await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      const dead = await claimed(jobs);
      pass(LEASE_MS);
      expect(await jobs.claim(LEASE_MS)).toBeNull();
      expect(await jobs.report(dead.lease, {}, LEASE_MS)).toBe(true);
      pass(LEASE_MS + 1);
      const successor = await claimed(jobs);
      expect(successor.job).toMatchObject({ id: dead.job.id, attempts: 2, progress: 0 });
      expect([
        await jobs.report(dead.lease),
        await jobs.fail(dead.lease, { code: 'TRAINING_FAILED', message: 'x' }),
      ]).toEqual([false, false]);
      expect(await jobs.succeed(successor.lease, 'demo.lead@1')).toBe(true);
      expect(await jobs.find('demo', dead.job.id)).toMatchObject({
        state: 'SUCCEEDED',
        progress: 1,
        modelVersionId: 'demo.lead@1',
      });
    });

    it('fails a job that cost three trainers, with that reason', async () => {
      const jobs = await aQueue();
      const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      for (let i = 0; i < MAX_ATTEMPTS; i++) {
        await claimed(jobs);
        pass(LEASE_MS + 1);
      }
      expect(await jobs.claim(LEASE_MS)).toBeNull();
      expect(await jobs.find('demo', id)).toMatchObject({
        state: 'FAILED',
        failure: { code: 'TRAINER_LOST' },
      });
    });

    it('puts a job back when its trainer leaves in order, and stops one that is cancelled', async () => {
      const jobs = await aQueue();
      const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
      const { lease } = await claimed(jobs);
      expect(await jobs.release(lease)).toBe(true);
      expect(await jobs.find('demo', id)).toMatchObject({ state: 'QUEUED', attempts: 0 });
      const again = await claimed(jobs);
      expect([
        await jobs.cancel('other', id),
        await jobs.cancel('demo', id),
        await jobs.cancel('demo', id),
      ]).toEqual([false, true, false]);
      expect(await jobs.report(again.lease)).toBe(false);
      expect(await jobs.find('demo', id)).toMatchObject({ state: 'CANCELLED' });
    });
  });

  describe('ModelVersions', () => {
    const aManifest = (version: number): Manifest =>
      ({
        ...{ model: 'demo.lead', version, tenantId: 'demo', trainedAt: '2026-02-01T00:00:00Z', dataRows: 10 },
        ...{ metrics: {}, baselineMetrics: {}, spec: { task: 'lead' } },
        files: [{ path: 'model.onnx', sha256: `${version}`.repeat(64), bytes: 1 }],
      }) as unknown as Manifest;
    const card = { purpose: 'scores leads' } as ModelCard;

    const findings = { gates: [], origin: 'TRAINED', by: 'trainer' } as const;

    it('records a version once, and other files under its number anew', async () => {
      const versions = new ModelVersions(client.db(), clock);
      await versions.ensureIndexes();
      const first = await versions.record(aManifest(1), card, findings);
      pass(5);
      expect(await versions.record(aManifest(1), card, findings)).toEqual(first);
      expect(first).toMatchObject({ id: 'demo.lead@1', stage: 'CANDIDATE', onnxSha256: '1'.repeat(64) });
      const files = aManifest(9).files;
      const other = await versions.record({ ...aManifest(1), files }, card, findings);
      expect(other).toMatchObject({ id: 'demo.lead@1', onnxSha256: '9'.repeat(64) });
      expect(await versions.find('other', 'demo.lead@1')).toBeNull();
    });

    it('reads versions of before stages had a history', async () => {
      const versions = new ModelVersions(client.db(), clock);
      const { id: _id, tenantId, model } = await versions.record(aManifest(1), card, findings);
      const later = {
        history: 1,
        gates: 1,
        share: 1,
        origin: 1,
        importance: 1,
        fairness: 1,
        seed: 1,
      } as const;
      await client
        .db()
        .collection<{ _id: string }>('model_versions')
        .updateOne({ _id }, { $unset: later, $set: { stage: 'LIVE' } });
      expect(await versions.findLive(tenantId, model)).toMatchObject({
        ...{ id: _id, stage: 'LIVE', share: null, origin: 'TRAINED' },
        ...{ gates: [], history: [], importance: {}, fairness: [], seed: null },
      });
    });

    it('refuses a manifest without a model file', async () => {
      const versions = new ModelVersions(client.db(), clock);
      await expect(versions.record({ ...aManifest(1), files: [] }, card, findings)).rejects.toMatchObject({
        code: 'ARTEFACT_INVALID',
      });
    });
  });
});
