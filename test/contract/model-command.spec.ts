import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ManifestDraft, type ModelCard, ModelDirectory } from '@sextant/artefacts';
import type { Role } from '@sextant/domain';
import { customerIdOf } from '@sextant/features';
import {
  type Gate,
  ModelLifecycle,
  ModelVersions,
  modelVersionId,
  TrainingJobs,
  TrainingMembers,
} from '@sextant/model-registry';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, type RunningGraph, startGraph } from './graph-processes.js';

const METRICS = { ndcg10: { value: 0.2, low: 0.1, high: 0.3, level: 0.9 } };
const FAILED_GATE: Gate = {
  name: 'latency',
  required: 'at most 5 ms',
  observed: '9 ms',
  passed: false,
};

const PASSED_GATE: Gate = { ...FAILED_GATE, observed: '1 ms', passed: true };

let mongo: TestMongo;
let client: MongoClient;
let db: Db;
let models: string;
let graph: RunningGraph;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  db = client.db();
  models = await mkdtemp(join(tmpdir(), 'sextant-model-command-'));
  graph = await startGraph({ env: { MONGODB_URI: mongo.uri, MODEL_REPOSITORY: models } });
  for (const [version, gates] of [[PASSED_GATE], [PASSED_GATE], [FAILED_GATE]].entries())
    await publish(version + 1, gates);
});
afterAll(async () => {
  await graph?.stop();
  await client?.close();
  await mongo?.stop();
  if (models) await rm(models, { recursive: true, force: true });
});

/** A version of the recommender as CANDIDATE, learnt from two customers. */
async function publish(version: number, gates: Gate[]): Promise<void> {
  const repository = new ModelDirectory(models);
  const draft: ManifestDraft = {
    ...{ model: 'demo.recommend', tenantId: 'demo', trainedAt: `2026-03-0${version}T12:00:00.000Z` },
    ...{ seed: 1, dataSha256: 'a'.repeat(64), dataRows: 3, metrics: METRICS, baselineMetrics: METRICS },
    onnx: {
      opset: 20,
      inputs: [{ name: 'history', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 1] }],
    },
    warmUpBatchSizes: [1],
    spec: {
      ...{ task: 'recommend', items: ['a'], components: [], rank: null, tauItems: null },
      ...{ excludeHistory: true, similarityFile: 'similarity.f32' },
    },
  };
  const card: ModelCard = {
    ...{ purpose: 'ranks', trainingData: '3 events', features: [], chosenBecause: 'it was best' },
    ...{ metrics: METRICS, baselineMetrics: METRICS, limitations: ['few'], warnings: ['very few'] },
  };
  const files = new Map([
    ['model.onnx', Buffer.from(`model ${version}`)],
    ['similarity.f32', Buffer.from('s')],
  ]);
  const manifest = await repository.publish(draft, files, card);
  const findings = {
    ...{ gates, origin: 'TRAINED', importance: { history: 1 }, fairness: [], by: 'trainer' },
  } as const;
  await new ModelLifecycle(repository, new ModelVersions(db)).register(manifest, card, findings);
  const versionId = modelVersionId(manifest.model, manifest.version);
  const learntFrom = ['shop:1', `shop:${version}`].map((ref) => customerIdOf('demo', ref));
  await new TrainingMembers(db).record({ tenantId: 'demo', versionId }, learntFrom);
}

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** `sextant model …` as a process of its own. */
async function sextant(args: string[], role: Role = 'operator'): Promise<Ran> {
  const flags = ['--url', graph.url, '--token', await graph.tokenOf(role)];
  const child = spawn(process.execPath, [join(ROOT, 'tools/cli/dist/main.js'), 'model', ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 25_000,
  });
  const ran: Ran = { code: null, out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (ran.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (ran.err += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ran, code })));
}

const json = async (args: string[]) => {
  const { code, out, err } = await sextant([...args, '--json']);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
};

describe('sextant model', () => {
  it('brings versions into service, tries one beside them, blocks by name, and goes back', async () => {
    const blocked = await sextant(['promote', 'recommend@3', '--to', 'LIVE']);
    expect(blocked.code).toBe(1);
    expect(blocked.out).toMatch(
      /demo\.recommend@3 stays as it was.*\n.*FAILED +latency +at most 5 ms; observed: 9 ms/,
    );

    expect(await sextant(['promote', 'recommend@1', '--to', 'LIVE'])).toEqual({
      code: 0,
      out: 'demo.recommend@1: @1 LIVE\n',
      err: '',
    });
    await sextant(['promote', 'demo.recommend@2', '--to', 'LIVE']);
    const canary = await sextant([
      ...['promote', 'recommend@3', '--to', 'CANARY', '--share', '0.05'],
      ...['--override', 'the machine was busy'],
    ]);
    expect(canary).toMatchObject({ code: 0, out: 'demo.recommend@3: @3 CANARY 5 %\n' });

    const list = await sextant(['list']);
    expect(list.code).toBe(0);
    expect(list.out).toMatch(/^recommend +@2 +2026-03-02 12:00 +@3 CANARY 5 % +@3 CANARY 5 %$/m);
    expect(list.out).toMatch(/^churn +– +– +– +–$/m);

    const back = await sextant(['rollback', 'recommend', '--reason', 'worse baskets']);
    expect(back).toEqual({ code: 0, out: 'demo.recommend@1 answers again\n', err: '' });
    const listed = (await json(['list'])) as { id: string; live: { id: string } | null }[];
    expect(listed.find(({ id }) => id === 'recommend')?.live?.id).toBe('demo.recommend@1');
  }, 60_000);

  it('shows the versions of a model, and everything about one', async () => {
    const model = await sextant(['show', 'recommend']);
    expect(model.out).toMatch(/^demo\.recommend@3 .* 2026-03-03 12:00 +2 +latency$/m);
    expect((await json(['show', 'recommend', '--versions', '1'])).versions).toHaveLength(1);

    const { out } = await sextant(['show', 'recommend@3']);
    expect(out).toMatch(/^ {2}FAILED {2}latency/m);
    expect(out).toMatch(/^ {2}ndcg10 +0\.2000 +0\.1000 to 0\.3000 +0\.2000$/m);
    expect(out).toMatch(/CANARY +by test-operator +the machine was busy; overrode latency/);
    expect(out).toContain('very few');
    expect((await json(['show', 'recommend@2'])).card.purpose).toBe('ranks');
  }, 60_000);

  it('names the versions that learnt from a customer', async () => {
    const ids = async (ref: string) => (await json(['trained-on', ref])).map(({ id }: { id: string }) => id);
    expect(await ids('shop:1')).toEqual(['demo.recommend@3', 'demo.recommend@2', 'demo.recommend@1']);
    expect(await ids('shop:2')).toEqual(['demo.recommend@2']);
    expect(await ids('shop:9')).toEqual([]);
  }, 60_000);

  it('queues a run, waits for what comes of it, and lists runs', async () => {
    const asked = await json(['train', 'churn', '--seed', '7', '--data-to', '2026-01-01T00:00:00Z']);
    expect(asked).toMatchObject({ task: 'churn', state: 'QUEUED', seed: 7 });
    const queue = new TrainingJobs(db);
    const claimed = await queue.claim();
    if (!claimed) throw new Error('nothing to claim');
    await queue.succeed(claimed.lease, 'demo.recommend@1');

    const waiting = sextant(['train', 'lead', '--wait', '--notes', 'more leads']);
    const lead = await until(() => queue.claim());
    await queue.report(lead.lease, { progress: 0.5, step: 'fitting trees' });
    await until(async () => ((await queue.report(lead.lease)) ? true : null));
    await queue.fail(lead.lease, { code: 'DATA_INSUFFICIENT', message: '3 leads' });
    const { code, out } = await waiting;
    expect(code).toBe(1);
    expect(out).toMatch(/^job_\S+ FAILED: DATA_INSUFFICIENT: 3 leads\n$/);

    const jobs = await sextant(['jobs']);
    expect(jobs.out).toMatch(/^job_\S+ +lead +FAILED .*DATA_INSUFFICIENT: 3 leads$/m);
    expect(jobs.out).toMatch(/^job_\S+ +churn +SUCCEEDED .*demo\.recommend@1$/m);
    expect(await json(['jobs', '--task', 'lead'])).toHaveLength(1);
  }, 60_000);

  it.each<[string[], number, RegExp, Role?]>([
    [['show', 'weather'], 1, /MODEL_NOT_FOUND: there is no model "weather": it is one of recommend, /],
    [['show', 'recommend@99'], 1, /MODEL_VERSION_NOT_FOUND: .*sextant model show recommend/],
    [['show', 'churn@1'], 1, /MODEL_VERSION_NOT_FOUND: churn has no version yet: .*model train churn/],
    [['promote', '@', '--to', 'LIVE'], 2, /INVALID_INPUT: a version is named like churn@7/],
    [['promote', 'recommend@1'], 2, /required option '--to <stage>'/],
    [
      ['promote', 'recommend@1', '--to', 'CANARY', '--share', '2'],
      2,
      /--share must be above 0 and at most 1/,
    ],
    [
      ['promote', 'recommend@3', '--to', 'LIVE', '--override', 'why'],
      2,
      /--override must say why in at least 10/,
    ],
    [['promote', 'recommend@99', '--to', 'LIVE'], 1, /MODEL_VERSION_NOT_FOUND/],
    [['rollback', 'recommend'], 2, /required option '--reason <reason>'/],
    [['rollback', 'churn', '--reason', 'none'], 1, /MODEL_/],
    [['rollback', 'recommend', '--reason', 'not mine'], 1, /FORBIDDEN/, 'analyst'],
    [['train', 'weather'], 2, /'weather' is invalid for argument 'task'/],
    [['train', 'churn', '--seed', '-1'], 2, /--seed must be a whole number from 0/],
    [['jobs', '--first', '101'], 2, /--first must be a whole number from 1 to 100/],
  ])('%j ends with %i and says %s', async (args, code, message, role) => {
    const ran = await sextant(args, role);
    expect(ran.err).toMatch(message);
    expect([ran.code, ran.out]).toEqual([code, '']);
  });

  it('says that nobody is there, and does not repeat a change', async () => {
    const args = ['rollback', 'recommend', '--reason', 'x', '--url', 'http://127.0.0.1:9/graphql'];
    const child = spawn(process.execPath, [
      join(ROOT, 'tools/cli/dist/main.js'),
      'model',
      ...args,
      '--token',
      't',
    ]);
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
    expect(err).toMatch(
      /GATEWAY_UNAVAILABLE: .* did not answer .*: look whether it was done before you do it again/,
    );
  });
});

async function until<T>(ask: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
