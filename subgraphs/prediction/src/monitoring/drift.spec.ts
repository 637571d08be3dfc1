import {
  type MonitoringReport,
  ReportRepository,
  SketchRepository,
  UncountedVersions,
} from '@sextant/monitoring';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aPrediction, anIdentity, type Prediction } from '../testing/prediction.fixture.js';
import { driftWindowMs } from './drift-window.js';

const HOUR_MS = 3_600_000;
const FIELDS = `version { id } from to rowsSeen workers verdict notes retrainJob features { feature test statistic threshold drifted importance }
  performance { value low high level } findings { kind name sentence statistic threshold }`;
const DRIFT = `query ($window: String) { model(id: "lead") { drift(window: $window) { ${FIELDS} } } }`;
const LIST = `query ($model: ID!, $first: Int) { monitoringReports(model: $model, first: $first) { ${FIELDS} } }`;

const hour = (back: number): Date => new Date((Math.floor(Date.now() / HOUR_MS) - back) * HOUR_MS);

function aReport(back: number, facts: Partial<MonitoringReport> = {}): MonitoringReport {
  return {
    ...{ tenantId: 'demo', model: 'demo.lead', version: 3, rowsSeen: 900, workers: 2, notes: ['a note'] },
    window: { from: hour(back + 24), to: hour(back) },
    features: [
      { feature: 'visits', test: 'psi', statistic: 0.4, threshold: 0.1, drifted: true, importance: 0.6 },
    ],
    performance: { value: 0.7, low: 0.65, high: 0.75, level: 0.9 },
    findings: [
      { kind: 'FEATURE_SHIFT', name: 'visits', sentence: 'visits moved', statistic: 0.4, threshold: 0.1 },
    ],
    verdict: 'drifting: FEATURE_SHIFT visits',
    createdAt: hour(back),
    retrainJobId: 'job-1',
    ...facts,
  };
}

describe('what monitoring found, on the graph', () => {
  let prediction: Prediction;
  beforeAll(async () => {
    prediction = await aPrediction();
  });
  afterAll(() => prediction.stop());
  beforeEach(async () => {
    for (const name of [
      'model_versions',
      'monitoring_reports',
      'monitoring_sketches',
      'monitoring_uncounted',
    ])
      await prediction.db.collection(name).deleteMany({});
  });

  const drift = async (window?: string, as = anIdentity()) =>
    (await prediction.ask(DRIFT, { window }, as)).data.model.drift;
  const live = () =>
    prediction.db.collection<{ _id: string }>('model_versions').insertOne({
      ...{
        _id: 'demo.lead@3',
        tenantId: 'demo',
        model: 'demo.lead',
        task: 'lead',
        version: 3,
        stage: 'LIVE',
      },
      ...{ trainedAt: hour(90), publishedAt: hour(90), onnxSha256: 'x', metrics: {}, baselineMetrics: {} },
    });

  it('is the newest window of the live version whose end is near enough', async () => {
    await live();
    const reports = new ReportRepository(prediction.db);
    await reports.insert(aReport(26));
    await reports.insert(aReport(2));
    await reports.insert(aReport(1, { version: 2, verdict: 'stable: of another version' }));
    const { findings, ...rest } = await drift();
    expect(rest).toMatchObject({
      ...{
        version: { id: 'demo.lead@3' },
        rowsSeen: 900,
        workers: 2,
        notes: ['a note'],
        retrainJob: 'job-1',
      },
      ...{ to: hour(2).toISOString(), verdict: 'drifting: FEATURE_SHIFT visits' },
      features: aReport(0).features,
      performance: aReport(0).performance,
    });
    expect(findings).toEqual(aReport(0).findings);
    expect((await drift('1h')).verdict).toContain('too little data: 0 rows were counted of demo.lead@3');
  });

  it('tells what was counted while no window is closed, why a version is not watched, and that none is live', async () => {
    expect((await drift()).verdict).toBe('too little data: no version of the model is live');
    await live();
    const record = {
      ...{
        tenantId: 'demo',
        model: 'demo.lead',
        version: 3,
        hour: hour(0),
        rows: 41,
        sketch: new Uint8Array(1),
      },
    };
    await new SketchRepository(prediction.db).record([
      { ...record, worker: 'a' },
      { ...record, worker: 'b', rows: 1 },
    ]);
    expect(await drift()).toMatchObject({ rowsSeen: 42, workers: 2, findings: [] });
    const reason = 'it has no monitor.json';
    const uncounted = { tenantId: 'demo', model: 'demo.lead', version: 3, reason };
    await new UncountedVersions(prediction.db).record([uncounted], new Date());
    expect((await drift()).verdict).toBe('not watched: it has no monitor.json');
  });

  it('lists windows of all versions newest first, of the own tenant only', async () => {
    const reports = new ReportRepository(prediction.db);
    for (const report of [aReport(49), aReport(1), aReport(25, { version: 2 })]) await reports.insert(report);
    await reports.insert(aReport(1, { tenantId: 'other', model: 'other.lead' }));
    const list = async (variables: object, as = anIdentity()) =>
      (await prediction.ask(LIST, { ...variables }, as)).data.monitoringReports as { to: string }[];
    const ends = (await list({ model: 'lead', first: 2 })).map(({ to }) => to);
    expect(ends).toEqual([hour(1), hour(25)].map((at) => at.toISOString()));
    expect(await list({ model: 'weather' })).toEqual([]);
    expect(await list({ model: 'lead' }, anIdentity({ tenantId: 'third' }))).toEqual([]);
  });

  it('refuses a window that is none, and who may not read models', async () => {
    const { errors } = await prediction.ask(DRIFT, { window: '41d' });
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
    expect(errors?.[0]?.message).toContain('got "41d"');
    const refused = await prediction.ask(LIST, { model: 'lead' }, anIdentity({ scopes: [] }));
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

describe('driftWindowMs', () => {
  it('reads hours and days up to 40 days', () => {
    expect([driftWindowMs('1h'), driftWindowMs('960h'), driftWindowMs('40d')]).toEqual([
      HOUR_MS,
      960 * HOUR_MS,
      960 * HOUR_MS,
    ]);
    for (const bad of ['', '0h', '961h', '41d', '1w', '-1h', '1.5h', '24H'])
      expect(() => driftWindowMs(bad)).toThrow('window must be');
  });
});
