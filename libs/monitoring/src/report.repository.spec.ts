import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import type { MonitoringReport } from './monitoring-report.js';
import { ReportRepository } from './report.repository.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-03-01T00:00:00Z');

let mongo: TestMongo;
let client: MongoClient;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = new MongoClient(mongo.uri);
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

async function anEmptyStore(): Promise<ReportRepository> {
  await client.db().collection('monitoring_reports').deleteMany({});
  const store = new ReportRepository(client.db());
  await store.ensureIndexes();
  return store;
}

function aReport(day: number, facts: Partial<MonitoringReport> = {}): MonitoringReport {
  return {
    tenantId: 'demo',
    model: 'demo.lead',
    version: 1,
    window: { from: new Date(START + day * DAY_MS), to: new Date(START + (day + 1) * DAY_MS) },
    rowsSeen: 1_000,
    workers: 1,
    notes: [],
    features: [],
    performance: null,
    findings: [],
    verdict: 'stable',
    createdAt: new Date(START + (day + 1) * DAY_MS),
    retrainJobId: null,
    ...facts,
  };
}

describe('ReportRepository', () => {
  it('keeps the first report of a version and window', async () => {
    const store = await anEmptyStore();
    const inserted = await Promise.all([1, 2, 3].map(() => store.insert(aReport(0))));
    expect(inserted.filter(Boolean)).toHaveLength(1);
    expect(await store.insert(aReport(0, { verdict: 'broken' }))).toBe(false);
    expect(await store.findLatest(aReport(0))).toEqual(aReport(0));
    expect(await store.has(aReport(0))).toBe(true);
    expect(await store.has(aReport(1))).toBe(false);
  });

  it('lists the newest first, of one tenant and model only', async () => {
    const store = await anEmptyStore();
    for (const report of [
      aReport(0),
      aReport(2),
      aReport(1),
      aReport(1, { version: 2 }),
      aReport(5, { tenantId: 'other', model: 'other.lead' }),
    ])
      await store.insert(report);
    const of = { tenantId: 'demo', model: 'demo.lead' };
    expect(await store.list(of, { first: 3 })).toEqual([aReport(2), aReport(1, { version: 2 }), aReport(1)]);
    expect(await store.list({ ...of, tenantId: 'other' }, { first: 3 })).toEqual([]);
    expect(await store.listSince(new Date(START + 3 * DAY_MS), 10)).toHaveLength(2);
  });

  it('remembers the first job that was asked for because of a report', async () => {
    const store = await anEmptyStore();
    await store.insert(aReport(0));
    await store.setRetrainJob(aReport(0), 'job-1');
    await store.setRetrainJob(aReport(0), 'job-2');
    expect((await store.findLatest(aReport(0)))?.retrainJobId).toBe('job-1');
  });
});
