import { status } from '@grpc/grpc-js';
import type { MonitoringReference } from '@sextant/artefacts';
import { toFeatureTable } from '@sextant/inference-protocol';
import { tableOfRecords } from '@sextant/learning';
import { buildReference } from '@sextant/learning/monitor';
import { planOfReference, type SketchPlan, TableSketch } from '@sextant/learning/sketch';
import { afterEach, describe, expect, it } from 'vitest';
import {
  aRepository,
  publishLead,
  publishLifetime,
  publishPrice,
  publishRecommender,
  publishUplift,
  publishWatched,
  type TestRepository,
} from '../testing/test-models.js';
import { eventually, startTestWorker, type TestWorker } from '../testing/test-worker.js';
import { totalsOf, type Watch, watchWorker } from '../testing/watch-worker.js';

const DEADLINE = { deadlineMs: 10_000 };
const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function aStore(): Promise<TestRepository> {
  const made = await aRepository();
  cleanUp.push(() => made.remove());
  return made;
}

async function aWorker(root: string, env: Record<string, string> = {}): Promise<TestWorker> {
  const started = await startTestWorker(root, env);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await started.stop();
  };
  cleanUp.push(stop);
  return { ...started, stop };
}

function watched(worker: TestWorker, periodMs = 100): Watch {
  const watch = watchWorker(worker.worker.grpcPort, periodMs);
  cleanUp.push(() => watch.cancel());
  return watch;
}

type Row = { visits: number | null; channel: string | null };

const rowsOf = (count: number, of: (i: number) => Row): Row[] =>
  Array.from({ length: count }, (_, i) => of(i));
const TRAINING = rowsOf(200, (i) => ({ visits: i % 7, channel: i % 3 === 0 ? 'mail' : 'web' }));

function leadReference(): MonitoringReference {
  return buildReference({
    table: tableOfRecords(TRAINING),
    at: null,
    subjects: null,
    importance: new Map([
      ['visits', 0.7],
      ['channel', 0.3],
    ]),
    scores: [
      {
        name: 'probability',
        values: Float64Array.from(TRAINING, ({ visits }) => (visits ?? 0) / 7),
        labels: Float64Array.from(TRAINING, ({ visits }) => ((visits ?? 0) > 3 ? 1 : 0)),
      },
    ],
  });
}

/** A reference of columns that are numbers without end, with one bound each. */
function simpleReference(features: string[], scores: string[]): MonitoringReference {
  const column = (name: string) => ({
    name,
    binning: { kind: 'numeric' as const, edges: [0.5] },
    bins: [1, 1],
    missing: 0,
    usual: { psi: 0, missing: 0 },
  });
  return {
    formatVersion: 1,
    rows: 2,
    features: features.map((name) => ({ ...column(name), importance: 0.1, changes: [] })),
    scores: scores.map((name) => ({ ...column(name), positives: null })),
    threshold: null,
    performance: null,
  };
}

async function aWatchedLead(store: TestRepository): Promise<SketchPlan> {
  await publishLead(store.directory);
  const reference = leadReference();
  await publishWatched(store.directory, 'demo.lead', reference);
  return planOfReference(reference);
}

const score = async (worker: TestWorker, rows: readonly Row[], more: object = {}) =>
  worker.client.scoreLeads({ model: 'demo.lead', rows: toFeatureTable(rows), ...more }, DEADLINE);

/** The newest total of the one version and hour that was counted. */
function onlyTotal(plan: SketchPlan, { messages }: Watch): TableSketch {
  const totals = [...totalsOf(messages).values()];
  return totals.reduce(
    (sum, { sketch }) => sum.merge(TableSketch.fromBytes(plan, sketch)),
    new TableSketch(plan),
  );
}

const rowsTold = ({ messages }: Watch): number =>
  [...totalsOf(messages).values()].reduce((sum, { rows }) => sum + rows, 0);

describe('what a worker counts', () => {
  it('is every feature, missing, unknown and out of range included, and the score that was answered', async () => {
    const store = await aStore();
    const plan = await aWatchedLead(store);
    const worker = await aWorker(store.directory.root, { INFERENCE_THREADS: '2' });
    const rows = [
      ...rowsOf(50, (i) => ({ visits: i % 9, channel: 'web' })),
      { visits: null, channel: 'pigeon' },
      { visits: -40, channel: null },
    ];
    const { scores } = await score(worker, rows);
    const watch = watched(worker);
    await eventually(() => rowsTold(watch) === rows.length);
    const expected = new TableSketch(plan);
    expected.addTable(tableOfRecords(rows));
    expected.addScores(
      'probability',
      scores.map(({ probability }) => probability),
    );
    expect(onlyTotal(plan, watch).toBytes()).toEqual(expected.toBytes());
    expect(onlyTotal(plan, watch).feature('channel')).toMatchObject({ missing: 1 });
  });

  it('adds up over workers, threads and calls to what one pass over all rows counts', async () => {
    const store = await aStore();
    const plan = await aWatchedLead(store);
    const workers = [
      await aWorker(store.directory.root, { INFERENCE_THREADS: '2' }),
      await aWorker(store.directory.root),
    ];
    const watches = workers.map((worker) => watched(worker));
    const rows = rowsOf(3_000, (i) => ({ visits: (i * i) % 11, channel: i % 5 === 0 ? 'mail' : 'web' }));
    const answered: number[] = [];
    for (let from = 0; from < rows.length; from += 150) {
      const calls = workers.map((worker, w) => score(worker, rows.slice(from + 75 * w, from + 75 * (w + 1))));
      for (const { scores } of await Promise.all(calls))
        answered.push(...scores.map(({ probability }) => probability));
    }
    await eventually(() => watches.reduce((sum, watch) => sum + rowsTold(watch), 0) === rows.length);
    const expected = new TableSketch(plan);
    expected.addTable(tableOfRecords(rows));
    expected.addScores('probability', answered);
    const [first, second] = watches.map((watch) => onlyTotal(plan, watch));
    if (!first || !second) throw new Error('two workers are watched');
    expect(first.merge(second).toBytes()).toEqual(expected.toBytes());
    expect(new Set(watches.map(({ messages }) => messages[0]?.worker)).size).toBe(2);
  });

  it('is not what decides nothing, nor what was refused', async () => {
    const store = await aStore();
    await aWatchedLead(store);
    const worker = await aWorker(store.directory.root);
    const request = { model: 'demo.lead', rows: toFeatureTable([{ visits: 1, channel: 'web' }]) };
    await worker.client.scoreLeads(request, { ...DEADLINE, counted: false });
    const damaged = { rows: 2, numeric: request.rows.numeric, categorical: [] };
    await expect(worker.client.scoreLeads({ ...request, rows: damaged }, DEADLINE)).rejects.toMatchObject({
      code: 'FEATURE_VECTOR_MISMATCH',
    });
    await worker.client.scoreLeads(request, DEADLINE);
    const watch = watched(worker);
    await eventually(() => rowsTold(watch) === 1);
  });

  it('is a decision with attributions once', async () => {
    const store = await aStore();
    await aWatchedLead(store);
    const worker = await aWorker(store.directory.root);
    await score(worker, TRAINING.slice(0, 40), { explain: true });
    const watch = watched(worker);
    await eventually(() => rowsTold(watch) === 40);
  });

  it('outlives the version that left memory', async () => {
    const store = await aStore();
    const plan = await aWatchedLead(store);
    const worker = await aWorker(store.directory.root, { MODEL_IDLE_UNLOAD_MS: '200' });
    await score(worker, TRAINING.slice(0, 30));
    await eventually(async () =>
      (await worker.metrics()).includes('sextant_model_unloads_total{model="demo.lead",reason="idle"} 1'),
    );
    await score(worker, TRAINING.slice(30, 50));
    const watch = watched(worker);
    await eventually(() => rowsTold(watch) === 50);
    expect(onlyTotal(plan, watch).rows).toBe(50);
  });
});

describe('models without a table', () => {
  it('are watched by what there is: history, purchases, the chosen price, the effect of each action', async () => {
    const store = await aStore();
    const { directory } = store;
    await publishRecommender(directory, { items: ['a', 'b'], matrix: Float32Array.of(0, 1, 1, 0, 0, 0) });
    await publishLifetime(directory);
    await publishPrice(directory);
    await publishUplift(directory);
    const references = {
      'demo.recommend': simpleReference(['history_items', 'unknown_share'], ['top_score']),
      'demo.lifetime': simpleReference(['repeats', 'age_days'], ['alive', 'value']),
      'demo.price': simpleReference(['price', 'display'], ['log_units']),
      'demo.uplift': simpleReference(['x'], ['without', 'uplift.mail']),
    };
    for (const [model, reference] of Object.entries(references))
      await publishWatched(directory, model, reference);
    const { client, ...worker } = await aWorker(directory.root);
    await client.recommend(
      {
        model: 'demo.recommend',
        rows: [
          { history: ['a', 'a', 'x', 'y'], first: 1 },
          { history: [], first: 1 },
        ],
      },
      DEADLINE,
    );
    const customers = Buffer.from(Float64Array.of(2, 30, 60, 20, 20, 90).buffer);
    await client.forecastValue({ model: 'demo.lifetime', customers }, DEADLINE);
    await client.quotePrices(
      {
        model: 'demo.price',
        rows: [
          {
            product: 'p1',
            listPriceMinor: 1500,
            costMinor: 500,
            floorMinor: 600,
            ceilingMinor: 1900,
            stepMinor: 100,
            rounding: 'none',
            quantity: 1,
            currency: 'EUR',
          },
        ],
      },
      DEADLINE,
    );
    await client.chooseActions(
      { model: 'demo.uplift', rows: toFeatureTable([{ x: 1 }, { x: 0 }]) },
      DEADLINE,
    );
    const watch = watched({ client, ...worker });
    await eventually(() => totalsOf(watch.messages).size === 4);
    const told = (model: keyof typeof references) => {
      const plan = planOfReference(references[model]);
      const [total] = [...totalsOf(watch.messages).values()].filter((each) => each.model === model);
      return TableSketch.fromBytes(plan, total?.sketch ?? new Uint8Array());
    };
    expect([...(told('demo.recommend').feature('history_items')?.bins ?? [])]).toEqual([1, 1]);
    expect(told('demo.recommend').feature('unknown_share')).toMatchObject({ missing: 1 });
    expect(told('demo.recommend').score('top_score')?.missing).toBe(0);
    expect([...(told('demo.lifetime').feature('repeats')?.bins ?? [])]).toEqual([0, 1]);
    expect(told('demo.lifetime').score('value')?.missing).toBe(0);
    expect(told('demo.price').rows).toBe(1);
    expect([...(told('demo.price').feature('price')?.bins ?? [])]).toEqual([0, 1]);
    expect(told('demo.price').score('log_units')?.missing).toBe(0);
    expect(told('demo.uplift').rows).toBe(2);
    expect(told('demo.uplift').score('uplift.mail')?.missing).toBe(0);
  });
});

describe('a version that cannot be watched', () => {
  it('is served and named with the reason', async () => {
    const store = await aStore();
    await publishLead(store.directory, 'demo.lead');
    await publishLead(store.directory, 'demo.churn', 'churn');
    await publishWatched(store.directory, 'demo.churn', Buffer.from('{"formatVersion":1,"rows":-1}'));
    const worker = await aWorker(store.directory.root);
    await score(worker, TRAINING.slice(0, 3));
    const watch = watched(worker);
    await eventually(() => watch.messages.length > 0);
    const reasons = new Map(watch.messages[0]?.uncounted.map(({ model, reason }) => [model, reason]));
    expect(reasons.get('demo.lead')).toContain('it has no monitor.json');
    expect(reasons.get('demo.churn')).toContain('its monitor.json cannot be used');
    expect(rowsTold(watch)).toBe(0);
  });
});

describe('Monitoring/Watch', () => {
  it('tells everything first, then only what changed, and the rest when the worker shuts down', async () => {
    const store = await aStore();
    await aWatchedLead(store);
    const worker = await aWorker(store.directory.root);
    await score(worker, TRAINING.slice(0, 10));
    const [quick, slow] = [watched(worker), watched(worker, 300_000)];
    await eventually(() => rowsTold(quick) === 10 && rowsTold(slow) === 10);
    const told = quick.messages.length;
    await eventually(() => quick.messages.length > told + 2);
    expect(quick.messages.slice(told).every(({ counts }) => counts.length === 0)).toBe(true);
    await score(worker, TRAINING.slice(10, 25));
    await eventually(() => rowsTold(quick) === 25);
    await score(worker, TRAINING.slice(25, 33));
    const stopped = worker.stop();
    expect(await Promise.all([quick.ended, slow.ended])).toEqual([null, null]);
    await stopped;
    expect([rowsTold(quick), rowsTold(slow)]).toEqual([33, 33]);
    expect(slow.messages.at(-1)?.isLast).toBe(true);
  });

  it('counts requests by minute, with how they ended', async () => {
    const store = await aStore();
    await aWatchedLead(store);
    const worker = await aWorker(store.directory.root);
    for (let i = 0; i < 5; i++) await score(worker, TRAINING.slice(0, 4));
    await expect(score(worker, [], { rows: { rows: 0, numeric: [], categorical: [] } })).rejects.toThrow();
    const watch = watched(worker);
    type Slot = {
      calls: number;
      failures: number;
      batches: number;
      rows: number;
      role: string;
      latencyCounts: number[];
    };
    await eventually(() => watch.messages.length > 0);
    const slots = watch.messages.flatMap(({ traffic }) => traffic as Slot[]);
    const sum = (of: (slot: Slot) => number): number => slots.reduce((all, slot) => all + of(slot), 0);
    expect(sum(({ calls }) => calls)).toBe(6);
    expect(sum(({ failures }) => failures)).toBe(0);
    expect(sum(({ latencyCounts }) => latencyCounts.reduce((a, b) => a + b))).toBe(5);
    expect(sum(({ rows }) => rows)).toBe(20);
    expect(slots.every(({ role }) => role === 'live')).toBe(true);
  });

  it('takes so many watchers, refuses further ones by name, and has room again when one leaves', async () => {
    const store = await aStore();
    await publishLead(store.directory);
    const worker = await aWorker(store.directory.root);
    const watches = Array.from({ length: 16 }, () => watched(worker));
    await eventually(() => watches.every(({ messages }) => messages.length > 0));
    expect(await watched(worker).ended).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('16 streams watch this worker already') as string,
    });
    watches[0]?.cancel();
    await eventually(async () => {
      const late = watched(worker);
      const error = await Promise.race([late.ended, eventually(() => late.messages.length > 0)]);
      return error === true;
    });
  });

  it('refuses a period that would flood it', async () => {
    const store = await aStore();
    const worker = await aWorker(store.directory.root);
    expect(await watched(worker, 99).ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await watched(worker, 300_001).ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});
