import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from '@sextant/model-registry';
import { defaultPolicy, ModelLifecycle, type ModelVersion, ModelVersions } from '@sextant/model-registry';
import { createDecisionsClient, type DecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { printTable } from './print-table.js';
import { expectedScore, publishScore, SCORE_CARD, scoreRow } from './score-models.js';
import { startTrainerProcess, type TrainerProcess } from './trainer-process.js';
import { until } from './until.js';
import { aRepository, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const MODEL = 'demo.lead';
const CALLERS = 8;
const PASSED = { name: 'calibration' as const, required: 'r', observed: 'o', passed: true };

let mongo: TestMongo;
let store: MongoClient;
let repository: TestRepository;
let worker: WorkerProcess;
let trainer: TrainerProcess | null = null;
let client: DecisionsClient;
let versions: ModelVersions;
let lifecycle: ModelLifecycle;

beforeEach(async () => {
  mongo = await startTestMongo();
  store = await new MongoClient(mongo.uri).connect();
  repository = await aRepository();
  versions = new ModelVersions(store.db());
  await versions.ensureIndexes();
  lifecycle = new ModelLifecycle(repository.directory, versions);
  // Nobody moves versions but the test and the guard.
  const policy = defaultPolicy('demo', 'lead');
  await versions.policies.save({ ...policy, rollout: { ...policy.rollout, mode: 'MANUAL' } });
  await publish({ to: 'LIVE' });
});
afterEach(async () => {
  await client.close();
  await trainer?.stop();
  trainer = null;
  await worker.terminate();
  await store.close();
  await mongo.stop();
  await repository.remove();
});

/** Publishes and registers a version and brings it into a stage. @returns its id */
async function publish({
  to,
  share,
  ...options
}: { to?: Stage; share?: number } & Parameters<typeof publishScore>[2]): Promise<string> {
  const manifest = await publishScore(repository.directory, MODEL, options);
  const made = { gates: [PASSED], origin: 'TRAINED' as const, by: 'test' };
  const { id } = await lifecycle.register(manifest, SCORE_CARD, made);
  if (to) await lifecycle.promote({ tenantId: 'demo', versionId: id, to, share: share ?? null, by: 'test' });
  return id;
}

async function start({ withTrainer = false, pollMs = '50' } = {}): Promise<void> {
  worker = await startWorkerProcess(repository.root, { MODEL_POLL_MS: pollMs });
  client = createDecisionsClient({ address: worker.address });
  if (!withTrainer) return;
  trainer = await startTrainerProcess({
    MONGODB_URI: mongo.uri,
    MODEL_REPOSITORY: repository.root,
    INFERENCE_URL: worker.address,
    CONTINUOUS_ROUND_MS: '300',
    MONITOR_PERIOD_MS: '300',
  });
}

interface Tally {
  calls: number;
  failed: string[];
  versions: Record<string, number>;
}

/** One request of one row. @returns the version that answered, and its score */
async function ask(n: number, version?: string): Promise<{ version: string; score: number }> {
  const { servedBy, scores } = await client.scoreLeads(
    { model: MODEL, ...(version && { version }), rows: toFeatureTable([scoreRow(n)]) },
    { deadlineMs: 20_000, routingKey: `customer-${n}` },
  );
  return { version: servedBy.version, score: scores[0]?.probability ?? Number.NaN };
}

/** Callers without a pause until what happens meanwhile is over. */
async function load(
  atLeast: number,
  meanwhile: (tally: Tally) => Promise<void>,
  { callers = CALLERS, pauseMs = 0 } = {},
): Promise<Tally> {
  const tally: Tally = { calls: 0, failed: [], versions: {} };
  let isBusy = true;
  const run = async (): Promise<void> => {
    while (isBusy || tally.calls < atLeast) {
      const n = (tally.calls += 1);
      await ask(n)
        .then(({ version }) => (tally.versions[version] = (tally.versions[version] ?? 0) + 1))
        .catch((error: unknown) => tally.failed.push(String(error)));
      if (pauseMs > 0) await pause(pauseMs);
    }
  };
  const all = Promise.all(Array.from({ length: callers }, run));
  await meanwhile(tally).finally(() => (isBusy = false));
  await all;
  return tally;
}

async function stageOf(id: string): Promise<ModelVersion> {
  return versions.get('demo', id);
}

async function stopped(id: string): Promise<string> {
  const version = await until(`${id} to be stopped`, 60_000, async () => {
    const found = await stageOf(id);
    return found.stage === 'RETIRED' && found;
  }).catch(async (cause: unknown) => {
    const judged = await store.db().collection('model_challenges').find().toArray();
    const slots = await store.db().collection('monitoring_traffic').find().toArray();
    throw new Error(`not stopped: ${JSON.stringify({ judged, slots })}`, { cause });
  });
  return version.history.at(-1)?.reason ?? '';
}

describe('a challenger in traffic', () => {
  it('scores the same requests as the live version in its shadow, seen by the differences', async () => {
    await publish({ to: 'SHADOW', share: 1, weight: 1 });
    await start();
    const runs = (): Promise<number> =>
      worker
        .metric(`sextant_model_shadow_runs_total{model="${MODEL}",version="2",outcome="ok"}`)
        .then((value) => (Number.isNaN(value) ? 0 : value));
    await until('the shadow to be loaded', 20_000, () =>
      ask(0, '2').then(
        () => true,
        () => false,
      ),
    );
    const before = await runs();
    let expected = 0;
    for (let n = 1; n <= 60; n += 1) {
      const { version, score } = await ask(n);
      expect(version).toBe('1');
      expect(score).toBeCloseTo(expectedScore(scoreRow(n)), 6);
      expected += Math.abs(expectedScore(scoreRow(n), 1) - expectedScore(scoreRow(n)));
      await until(`the shadow's run ${n}`, 10_000, async () => (await runs()) === before + n);
    }
    const seen = await worker.metric(
      `sextant_model_shadow_absolute_difference_sum{model="${MODEL}",version="2"}`,
    );
    expect(expected).toBeGreaterThan(5);
    expect(seen).toBeCloseTo(expected, 4);
  });

  it('gets its share of 20,000 calls within 1 %, always the same callers', async () => {
    const share = 0.1;
    await publish({ to: 'CANARY', share });
    await start({ withTrainer: true });
    await until('the canary to be loaded', 20_000, async () => (await ask(7, '2')).version === '2');
    const tally = await load(20_000, async () => undefined);
    const own = (tally.versions['2'] ?? 0) / tally.calls;
    printTable('canary', [{ calls: tally.calls, share, own, failed: tally.failed.length }]);
    expect(tally.failed.slice(0, 3)).toEqual([]);
    expect(Math.abs(own - share)).toBeLessThan(0.01);
    expect((await stageOf(`${MODEL}@2`)).stage).toBe('CANARY');
    const again = await Promise.all(Array.from({ length: 400 }, (_, n) => ask(n + 1)));
    const once = await Promise.all(Array.from({ length: 400 }, (_, n) => ask(n + 1)));
    expect(once.map(({ version }) => version)).toEqual(again.map(({ version }) => version));
    // What the trainer heard of the worker are the same numbers.
    const heard = await until('the traffic to be collected', 20_000, async () => {
      const slots = await store.db().collection('monitoring_traffic').find({ model: MODEL }).toArray();
      const of = (version: number): number =>
        slots
          .filter((slot) => slot['version'] === version)
          .reduce((sum, slot) => sum + Number(slot['calls']), 0);
      return of(1) + of(2) >= tally.calls + 801 && [of(1), of(2)];
    });
    expect(heard[0]).toBe(
      (tally.versions['1'] ?? 0) + 2 * again.filter(({ version }) => version === '1').length,
    );
  }, 300_000);

  it.each([
    ['CANARY', 'slower', { products: 500 }],
    ['SHADOW', 'slower', { products: 500 }],
    ['CANARY', 'failing', { isBroken: true }],
    ['SHADOW', 'failing', { isBroken: true }],
  ] as const)(
    'that is a %s and %s is stopped by itself; the live version answers throughout',
    async (to, reason, options) => {
      const id = await publish({ to, share: to === 'SHADOW' ? 1 : 0.2, ...options });
      await start({ withTrainer: true });
      let why = '';
      const tally = await load(500, async () => {
        why = await stopped(id);
      });
      printTable(`${to} ${reason}`, [{ calls: tally.calls, failed: tally.failed.length, why }]);
      expect(why).toContain(`stopped as ${to}, ${reason}: `);
      const { live, serving } = await repository.directory.readEntry(MODEL);
      expect({ live, canary: serving.canary, shadow: serving.shadow }).toEqual({ live: 1 });
      expect((await stageOf(`${MODEL}@1`)).stage).toBe('LIVE');
      // A canary that answers no number fails its own calls until it is stopped, nobody else's.
      if (reason === 'slower' || to === 'SHADOW') expect(tally.failed.slice(0, 3)).toEqual([]);
      else expect(tally.failed.length).toBeLessThan(0.3 * tally.calls);
      // The version has moved before the trainer counts that it moved it.
      await until('the stop to be counted', 10_000, async () => {
        const page = (await (await trainer?.get('/metrics'))?.text()) ?? '';
        return page.includes(`sextant_continuous_stops_total{reason="${reason}"} 1\n`);
      });
    },
  );

  it.each([
    ['worse', -2, 'RETIRED'],
    ['as good', 2, 'SHADOW'],
  ] as const)('that is %s on known outcomes: %d as weight leaves it %s', async (_, weight, stage) => {
    const trainedAt = new Date(Date.now() - 3_600_000);
    const id = await publish({ to: 'SHADOW', share: 0.5, weight, trainedAt });
    await decide(400, new Date(trainedAt.getTime() + 60_000));
    await start({ withTrainer: true });
    const challenge = await until('the comparison', 60_000, async () => {
      const found = await store.db().collection<{ _id: string }>('model_challenges').findOne({ _id: id });
      const compared = (found as { outcomes?: { decisions: number; verdict: string } } | null)?.outcomes;
      return compared && compared.decisions === 400 && compared;
    });
    printTable(`outcomes, weight ${weight}`, [challenge]);
    if (stage === 'RETIRED') {
      expect(await stopped(id)).toContain('stopped as SHADOW, worse: on 400 decisions');
      expect(challenge.verdict).toBe('WORSE');
    } else {
      expect(challenge.verdict).toBe('UNDECIDED');
      expect((await stageOf(id)).stage).toBe('SHADOW');
    }
  });
});

describe('under load', () => {
  it('promotions, a rollback and new files fail no request, and a rollback is seen within 10 s', async () => {
    await start({ pollMs: '1000' });
    const seconds: Record<string, number> = {};
    const servedBy = async (version: string, tally: Tally, since: number): Promise<number> => {
      const before = tally.versions[version] ?? 0;
      await until(`an answer of version ${version}`, 20_000, () => (tally.versions[version] ?? 0) > before);
      return (performance.now() - since) / 1000;
    };
    const tally = await load(5_000, async (seen) => {
      for (const version of [2, 3, 4]) {
        const id = await publish({});
        const since = performance.now();
        await lifecycle.promote({ tenantId: 'demo', versionId: id, to: 'LIVE', by: 'test' });
        seconds[`promote ${version}`] = await servedBy(String(version), seen, since);
      }
      const since = performance.now();
      await lifecycle.rollback({ tenantId: 'demo', model: MODEL, reason: 'a test of it', by: 'test' });
      seconds['rollback'] = await servedBy('3', seen, since);
      const canary = await publish({});
      await lifecycle.promote({ tenantId: 'demo', versionId: canary, to: 'CANARY', share: 0.5, by: 'test' });
      await servedBy('5', seen, performance.now());
      await lifecycle.stop({ tenantId: 'demo', versionId: canary, reason: 'a test of it', by: 'test' });
    });
    printTable('under load', [{ calls: tally.calls, failed: tally.failed.length, ...seconds }]);
    expect(tally.failed.slice(0, 3)).toEqual([]);
    expect(Object.keys(tally.versions).toSorted()).toEqual(['1', '2', '3', '4', '5']);
    expect(seconds['rollback']).toBeLessThan(10);
  });
});

/** Decisions of the live version with their outcomes, which come as its scores say. */
async function decide(count: number, at: Date): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => {
    const input = scoreRow(n);
    const probability = expectedScore(input);
    // Low-discrepancy numbers in place of chance: as many come true as the scores say.
    const reward = (n * 0.618_033_988_75) % 1 < probability ? 1 : 0;
    return { id: `dec-${n}-${randomUUID()}`, input, probability, reward };
  });
  const db = store.db();
  await db.collection<{ _id: string }>('decisions').insertMany(
    rows.map(({ id, input, probability }) => ({
      ...{ _id: id, tenantId: 'demo', kind: 'lead', subject: id, customerId: null, at, rung: 'MODEL' },
      ...{ modelVersion: `${MODEL}@1`, fallbackReason: null, device: 'CPU', repeats: null },
      ...{ input, inputHash: '', output: { probability }, propensity: null },
    })),
  );
  await db.collection<{ _id: string }>('outcomes').insertMany(
    rows.map(({ id, reward }) => ({
      ...{ _id: `demo ${id}`, tenantId: 'demo', decisionId: id, reward, at, idempotencyKey: id },
      ...{ decidedAt: at, recordedAt: new Date() },
    })),
  );
}
