import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ManifestDraft, type ModelCard, ModelDirectory } from '@sextant/artefacts';
import type { Role } from '@sextant/domain';
import { customerIdOf } from '@sextant/features';
import {
  type Findings,
  type Gate,
  ModelLifecycle,
  ModelVersions,
  modelVersionId,
  TrainingJobs,
  TrainingMembers,
} from '@sextant/model-registry';
import { ReportRepository } from '@sextant/monitoring';
import { writeLinearModel } from '@sextant/onnx';
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
  const findings: Findings = { gates, origin: 'TRAINED', importance: { history: 1 }, by: 'trainer' };
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

  it('imports a file made elsewhere, or says which check refused it', async () => {
    const platt = { a: 1, b: 0 };
    const { bytes } = writeLinearModel(
      { coefficients: [0.5, -1], intercept: 0.25 },
      { kind: 'probability', platt },
    );
    const file = join(models, 'churn.onnx');
    await writeFile(file, bytes);
    const sample = Array.from({ length: 120 }, (_, i) => {
      const row = [(i % 7) - 3, (i % 5) / 2];
      const expected = 1 / (1 + Math.exp(-(0.5 * (row[0] ?? 0) - (row[1] ?? 0) + 0.25)));
      return { row, expected, label: i % 3 === 0 ? 1 : 0 };
    });
    const about = {
      task: 'churn',
      columns: [
        { feature: 'recency.days', fill: 365 },
        { feature: 'order.value.total', fill: 0 },
      ],
      sample,
      card: {
        purpose: 'whom to call',
        trainingData: '120 rows',
        chosenBecause: 'best',
        limitations: ['few'],
      },
    };
    const describe = join(models, 'churn.json');
    await writeFile(describe, JSON.stringify(about));
    const imported = await sextant(['import', file, '--describe', describe]);
    expect(imported.out).toMatch(/^passed +sample +/m);
    expect(imported.out).toMatch(/^demo\.churn@1 is a CANDIDATE: /m);
    expect(imported.code).toBe(0);
    expect((await json(['show', 'churn@1'])).origin).toBe('IMPORTED');
    expect(await json(['show', 'churn@1'])).toMatchObject({ stage: 'CANDIDATE', trainingCustomers: null });

    await writeFile(file, bytes.subarray(0, bytes.length - 9));
    const refused = await sextant(['import', file, '--describe', describe]);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/^FAILED +format +NOT_ONNX: /m);
    expect(refused.out).toMatch(/was refused; nothing was published$/m);

    const wrong = await sextant(['import', file, '--describe', describe, '--sha256', 'a'.repeat(64)]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/is not the file that was meant/)]);
    await writeFile(describe, 'task: churn');
    const vague = await sextant(['import', file, '--describe', describe]);
    expect([vague.code, vague.err]).toEqual([
      2,
      expect.stringMatching(/does not describe a model: columns: .*sample: /),
    ]);
  }, 60_000);

  it('tells what a window showed, and fails on a finding when asked to', async () => {
    const none = await sextant(['drift', 'price']);
    expect(none.code).toBe(0);
    expect(none.out).toMatch(/^no live version: /);

    const hour = 3_600_000;
    const to = new Date(Math.floor(Date.now() / hour) * hour);
    const about = { statistic: 0.41, threshold: 0.2 };
    await new ReportRepository(db).insert({
      ...{ tenantId: 'demo', model: 'demo.recommend', version: 1, rowsSeen: 12_345, workers: 2 },
      window: { from: new Date(to.getTime() - hour), to },
      features: [{ ...about, feature: 'history.length', test: 'psi', drifted: true, importance: 0.5 }],
      performance: null,
      findings: [{ ...about, kind: 'FEATURE_SHIFT', name: 'history.length', sentence: 'It moved.' }],
      notes: ['no outcomes are known'],
      ...{ verdict: 'drifting: a feature moved', createdAt: to, retrainJobId: null },
    });
    const { code, out } = await sextant(['drift', 'recommend']);
    expect(code).toBe(0);
    expect(out).toMatch(/^demo\.recommend@1: drifting: a feature moved\n.*12,345 rows of 2 workers$/m);
    expect(out).toMatch(/^ {2}- FEATURE_SHIFT history\.length: It moved\.$/m);
    expect(out).toMatch(/^history\.length +psi +0\.410 +0\.200 +50 % +DRIFTED$/m);
    expect((await sextant(['drift', 'recommend', '--fail'])).code).toBe(1);
    expect((await json(['drift', 'recommend'])).notes).toEqual(['no outcomes are known']);
  }, 60_000);

  it.each<[string[], number, RegExp, Role?]>([
    [['show', 'weather'], 1, /MODEL_NOT_FOUND: there is no model "weather": it is one of recommend, /],
    [['show', 'recommend@99'], 1, /MODEL_VERSION_NOT_FOUND: .*sextant model show recommend/],
    [['show', 'lead@1'], 1, /MODEL_VERSION_NOT_FOUND: lead has no version yet: .*model train lead/],
    [['promote', 'recommend@99', '--to', 'LIVE'], 1, /MODEL_VERSION_NOT_FOUND/],
    [['rollback', 'price', '--reason', 'none'], 1, /MODEL_/],
    [['rollback', 'recommend', '--reason', 'not mine'], 1, /FORBIDDEN/, 'analyst'],
    [['drift', 'recommend', '--window', 'long'], 2, /window must be 1h to 960h/],
  ])('%j ends with %i and says %s', async (args, code, message, role) => {
    const ran = await sextant(args, role);
    expect(ran.err).toMatch(message);
    expect([ran.code, ran.out]).toEqual([code, '']);
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
