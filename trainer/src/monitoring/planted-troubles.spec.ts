import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDirectory } from '@sextant/artefacts';
import { DecisionRepository, newDecisionId, OutcomeRepository } from '@sextant/decision-log';
import { emptyState, FeatureStore } from '@sextant/features';
import { createDecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { tableOfRecords } from '@sextant/learning';
import { planOfReference, TableSketch } from '@sextant/learning/sketch';
import { defaultPolicy, ModelVersions } from '@sextant/model-registry';
import {
  HOUR_MS,
  type MonitoringReport,
  ReportRepository,
  SketchRepository,
  TrafficRepository,
  UncountedVersions,
} from '@sextant/monitoring';
import { startTestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreLease } from '../store-lease.js';
import { Collector } from './collector.js';
import { MonitoringLoop } from './monitoring-loop.js';
import {
  genderOf,
  HORIZON_DAYS,
  PlantedCompany,
  plantedReference,
  type PlantedRow,
  publishPlanted,
  type Trouble,
} from './planted-company.fixture.js';
import { DecisionReader } from './window-decisions.js';
import { WindowReports } from './window-report.js';
import { WatchedVersions } from './watched-versions.js';
import { startWorkerChild, within, type WorkerChild } from './worker-child.fixture.js';

const TROUBLES: readonly Trouble[] = ['none', 'shifted', 'stale', 'gap', 'proxy', 'label'];
const CUSTOMERS = 900;
const DAY_MS = 86_400_000;
const logger = pino({ level: 'silent' });
const cleanUp: (() => Promise<unknown>)[] = [];

const reference = plantedReference();
const plan = planOfReference(reference);
let db: Db;
let root = '';
let workers: WorkerChild[] = [];
/** begin of the window: the hour in which the workers count */
let from = 0;

beforeAll(async () => {
  const mongo = await startTestMongo();
  cleanUp.push(() => mongo.stop());
  const client = await new MongoClient(mongo.uri).connect();
  cleanUp.push(() => client.close());
  db = client.db();
  root = await mkdtemp(join(tmpdir(), 'sextant-monitoring-'));
  cleanUp.push(() => rm(root, { recursive: true, force: true }));
  const directory = new ModelDirectory(root);
  for (const tenantId of TROUBLES) await publishPlanted(directory, tenantId, reference);
  workers = await Promise.all([startWorkerChild(root), startWorkerChild(root)]);
  cleanUp.push(() => Promise.all(workers.map((worker) => worker.end('SIGKILL'))));
  const stores = [new DecisionRepository(db), new OutcomeRepository(db), new ReportRepository(db)];
  const counts = [new SketchRepository(db), new TrafficRepository(db), new UncountedVersions(db)];
  await Promise.all([...stores, ...counts].map((store) => store.ensureIndexes()));
}, 60_000);
afterAll(async () => {
  for (const step of cleanUp.reverse()) await step();
});

const customerIdOf = (tenantId: string, customer: number): string => `cus_${tenantId}_${customer}`;

/** Somebody asks a worker about each row, as the prediction subgraph does. @returns what it answered */
async function decide(tenantId: string, rows: readonly PlantedRow[]): Promise<PlantedRow[]> {
  const answered: PlantedRow[] = [];
  for (let at = 0; at < rows.length; at += 100) {
    const some = rows.slice(at, at + 100);
    const address = workers[(at / 100) % workers.length]?.address ?? '';
    const client = createDecisionsClient({ address });
    const request = {
      model: `${tenantId}.churn`,
      rows: toFeatureTable(some.map(({ features }) => features)),
    };
    const { scores } = await client.scoreLeads(request, { deadlineMs: 10_000 });
    await client.close();
    answered.push(...some.map((row, i) => ({ ...row, probability: scores[i]?.probability ?? Number.NaN })));
  }
  return answered;
}

async function log(tenantId: string, rows: readonly PlantedRow[], withOutcome: boolean): Promise<void> {
  const decisions = rows.map(({ customer, at, features, probability }) => ({
    ...{ id: newDecisionId(new Date(at)), tenantId, kind: 'churn' as const, at: new Date(at) },
    ...{ subject: customerIdOf(tenantId, customer), customerId: customerIdOf(tenantId, customer) },
    ...{ modelVersion: `${tenantId}.churn@1`, rung: 'MODEL' as const, fallbackReason: null, device: 'CPU' },
    ...{ repeats: null, inputJson: JSON.stringify(features), inputHash: 'x', output: { probability } },
    propensity: null,
  }));
  await new DecisionRepository(db).insertMany(decisions);
  if (!withOutcome) return;
  const came = decisions.filter((_, i) => rows[i]?.label === 1);
  await new OutcomeRepository(db).insertMany(
    tenantId,
    came.map(({ id, at }) => ({
      ...{ decisionId: id, reward: 1, at: new Date(at.getTime() + HOUR_MS), idempotencyKey: `of ${id}` },
      decidedAt: at,
    })),
    new Date(),
  );
}

/** Customers of a tenant with their traits, what was decided on them before, and the window itself: asked of the workers. */
async function live(tenantId: Trouble): Promise<PlantedRow[]> {
  const company = new PlantedCompany(7 + TROUBLES.indexOf(tenantId), tenantId);
  const customers = Array.from({ length: CUSTOMERS }, (_, customer) => customer);
  const states = customers.map((customer) => ({
    state: { ...emptyState(customerIdOf(tenantId, customer)), traits: { gender: genderOf(customer) } },
    revision: 0,
  }));
  await new FeatureStore(db).save(tenantId, states, new Date());
  await new ModelVersions(db).policies.save({
    ...defaultPolicy(tenantId, 'churn'),
    protectedTraits: ['gender'],
  });
  const at = (begin: number) => (customer: number) => begin + customer * 1_000;
  const usual = [12, 9].flatMap((days) =>
    customers.map((each) => company.row(each, at(from - days * DAY_MS)(each))),
  );
  const before = customers.map((each) => company.row(each, at(from - 3 * DAY_MS)(each)));
  await log(tenantId, [...usual, ...before], false);
  // Of these the label is what the trouble is about; the others begin with the window.
  const isTroubled = tenantId === 'label';
  const matured = customers.map((each) =>
    company.row(each, at(from - HORIZON_DAYS * DAY_MS)(each), isTroubled),
  );
  await log(tenantId, matured, true);
  const rows = await decide(
    tenantId,
    customers.map((each) => company.row(each, at(from)(each), true)),
  );
  await log(tenantId, rows, false);
  return rows;
}

function aCollector(): Collector {
  const sketches = new SketchRepository(db);
  const parts = {
    sketches,
    traffic: new TrafficRepository(db),
    uncounted: new UncountedVersions(db),
    logger,
  };
  return new Collector(parts, { address: workers.map(({ address }) => address).join(','), periodMs: 100 });
}

/** The loop of one trainer at an instant after the window. */
function aLoop(now = new Date(from + HOUR_MS + 5 * 60_000)): MonitoringLoop {
  const clock = { now: () => now };
  const versions = new ModelVersions(db);
  const sketches = new SketchRepository(db);
  const windowReports = new WindowReports({
    ...{ sketches, watched: new WatchedVersions(new ModelDirectory(root)), versions, clock },
    ...{
      reader: new DecisionReader(new DecisionRepository(db), new FeatureStore(db)),
      policies: versions.policies,
    },
  });
  const lease = new StoreLease(db, 'monitoring', 60_000);
  return new MonitoringLoop(
    { lease, sketches, reports: new ReportRepository(db), windowReports, logger, clock },
    { windowHours: 1, roundMs: 1_000 },
  );
}

const countedRows = async (tenantId: string): Promise<number> => {
  const window = { from: new Date(from), to: new Date(from + HOUR_MS) };
  const of = { tenantId, model: `${tenantId}.churn`, version: 1, window };
  return (await new SketchRepository(db).countRows(of)).rows;
};

/** An hour must not end while the workers count: what follows takes a few seconds. */
async function wellWithinAnHour(): Promise<void> {
  await within(45_000, () => HOUR_MS - (Date.now() % HOUR_MS) > 40_000);
  from = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
}

describe('monitoring of real workers', () => {
  const served = new Map<Trouble, PlantedRow[]>();
  let reports: MonitoringReport[] = [];

  it('stores what all workers counted: their sum is one pass over all rows, bin by bin', async () => {
    await wellWithinAnHour();
    const collector = aCollector();
    const collecting = collector.run();
    for (const trouble of TROUBLES) served.set(trouble, await live(trouble));
    for (const trouble of TROUBLES)
      await within(10_000, async () => (await countedRows(trouble)) === CUSTOMERS);
    collector.stop();
    await collecting;
    const window = { from: new Date(from), to: new Date(from + HOUR_MS) };
    for (const [tenantId, rows] of served) {
      const of = { tenantId, model: `${tenantId}.churn`, version: 1, window };
      const merged = await new SketchRepository(db).merged(of, plan);
      const onePass = new TableSketch(plan);
      onePass.addTable(tableOfRecords(rows.map(({ features }) => features)));
      onePass.addScores(
        'probability',
        rows.map(({ probability }) => probability),
      );
      expect(merged?.workers).toBe(2);
      expect(merged?.sketch.toBytes()).toEqual(onePass.toBytes());
    }
  }, 90_000);

  it('judges the window once, however many trainers look', async () => {
    const loops = [aLoop(), aLoop(), aLoop()];
    reports = (await Promise.all(loops.map((loop) => loop.round()))).flat();
    expect(reports.map(({ tenantId }) => tenantId).sort()).toEqual([...TROUBLES].sort());
    expect(await aLoop().round()).toEqual([]);
    expect(await new ReportRepository(db).listSince(new Date(0), 100)).toHaveLength(TROUBLES.length);
  }, 60_000);

  const findingsOf = (trouble: Trouble): string[] => {
    const report = reports.find(({ tenantId }) => tenantId === trouble);
    return (report?.findings ?? []).map(({ kind, name }) => `${kind} ${name}`);
  };

  it('finds nothing where nothing changed', () => {
    expect(findingsOf('none')).toEqual([]);
    const [report] = reports.filter(({ tenantId }) => tenantId === 'none');
    expect(report?.verdict).toMatch(/^stable: /);
    expect(report?.rowsSeen).toBe(CUSTOMERS);
    expect(report?.performance?.value).toBeGreaterThan(0.7);
  });

  it.each<[Trouble, string]>([
    ['shifted', 'FEATURE_SHIFT spend'],
    ['stale', 'FEATURE_STALE visits'],
    ['gap', 'GROUP_GAP gender: f / m'],
    ['proxy', 'PROXY region'],
    ['label', 'LABEL_SHIFT'],
  ])('catches %s by name within the window', (trouble, finding) => {
    expect(findingsOf(trouble)).toContainEqual(expect.stringContaining(finding));
  });

  it('neither doubles nor loses what was told when workers and collectors are killed', async () => {
    await wellWithinAnHour();
    const before = await countedRows('none');
    const first = aCollector();
    const firstRun = first.run();
    const rows = Array.from({ length: 300 }, (_, i) => new PlantedCompany(99).row(i, from));
    await decide('none', rows);
    await within(10_000, async () => (await countedRows('none')) === before + 300);
    const [victim] = workers;
    await victim?.end('SIGKILL');
    const port = Number(victim?.address.split(':')[1]);
    const again = await startWorkerChild(root, port);
    workers = [again, ...workers.slice(1)];
    const second = aCollector();
    const secondRun = second.run();
    await decide('none', rows);
    await within(20_000, async () => (await countedRows('none')) === before + 600);
    first.stop();
    await firstRun;
    // A worker that is asked to end tells the rest, whatever the period.
    await decide('none', rows.slice(0, 100));
    await again.end('SIGTERM');
    await within(10_000, async () => (await countedRows('none')) === before + 700);
    second.stop();
    await secondRun;
    expect(await countedRows('none')).toBe(before + 700);
  }, 120_000);
});
