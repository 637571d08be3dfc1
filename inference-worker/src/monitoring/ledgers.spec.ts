import { status } from '@grpc/grpc-js';
import { SketchPlan, TableSketch } from '@sextant/learning/sketch';
import { describe, expect, it } from 'vitest';
import { CountLedger } from './count-ledger.js';
import { DecisionCounter } from './decision-counter.js';
import { HOUR_MS, MINUTE_MS } from './hour-counts.js';
import { MonitoringFeed } from './monitoring-feed.js';
import { TrafficLedger } from './traffic-ledger.js';

const FEATURES = [{ kind: 'numeric' as const, name: 'visits', edges: [1, 5] }];
const plan = new SketchPlan({ features: FEATURES, scores: [] });
const table = (...visits: number[]) => ({
  rows: visits.length,
  columns: [{ kind: 'numeric' as const, name: 'visits', values: Float64Array.from(visits) }],
});

function countsOf(key: string, hour: number, rows: number) {
  const sketch = new TableSketch(plan);
  sketch.addTable(table(...new Array<number>(rows).fill(2)));
  return { key, hour, sketch: new Uint8Array(sketch.toBytes()) };
}

function aLedger(maxBytes?: number): CountLedger {
  const ledger = new CountLedger(maxBytes);
  for (const version of ['1', '2']) ledger.open(`m@${version}/1`, { model: 'm', version, plan });
  return ledger;
}

const told = (ledger: CountLedger, since = 0) =>
  ledger.since(since).map(({ version, hour, sketch }) => [version, hour, sketch.rows]);

describe('DecisionCounter', () => {
  it('counts by the hour of the decision and hands each count over once', () => {
    let now = 5 * HOUR_MS - 1;
    const counter = new DecisionCounter({ features: FEATURES, scores: [] }, () => now);
    counter.count({ table: table(1, 2), scores: { probability: [0.5, 0.5] } });
    now = 5 * HOUR_MS;
    counter.count({ table: table(3), scores: {} });
    const taken = counter
      .take('m@1/1')
      .map(({ hour, sketch }) => [hour, TableSketch.fromBytes(plan, sketch).rows]);
    expect(taken).toEqual([
      [4, 2],
      [5, 1],
    ]);
    expect(counter.take('m@1/1')).toEqual([]);
  });
});

describe('CountLedger', () => {
  it('adds up threads and loads of a version by the hour, and tells what changed since', () => {
    const ledger = aLedger();
    ledger.open('m@1/2', { model: 'm', version: '1', plan });
    for (const each of [countsOf('m@1/1', 7, 2), countsOf('m@1/2', 7, 3), countsOf('m@2/1', 7, 1)])
      ledger.add(each);
    expect(told(ledger)).toEqual([
      ['1', 7, 5],
      ['2', 7, 1],
    ]);
    const { revision } = ledger;
    ledger.add(countsOf('m@2/1', 8, 4));
    expect(told(ledger, revision)).toEqual([['2', 8, 4]]);
  });

  it('keeps a day, and of that what it has room for: the oldest hours leave first, the newest never', () => {
    const ledger = aLedger();
    for (const hour of [1, 2, 25]) ledger.add(countsOf('m@1/1', hour, 1));
    expect(told(ledger).map(([, hour]) => hour)).toEqual([2, 25]);
    expect(ledger.dropped).toBe(0);
    const small = aLedger(8 * plan.size * 2);
    for (const hour of [1, 2, 3]) for (const key of ['m@1/1', 'm@2/1']) small.add(countsOf(key, hour, 1));
    expect(told(small).map(([, hour]) => hour)).toEqual([3, 3]);
    expect(small.dropped).toBe(4);
  });

  it('leaves out counts of a version that it was not told of', () => {
    const ledger = aLedger();
    ledger.close('m@1/1');
    ledger.add(countsOf('m@1/1', 1, 1));
    expect(told(ledger)).toEqual([]);
  });
});

describe('TrafficLedger', () => {
  it('counts by the minute how calls ended, under the role that the version had when the minute began', () => {
    let now = 10 * MINUTE_MS;
    const ledger = new TrafficLedger(() => now);
    ledger.roleOf = () => (now < 11 * MINUTE_MS ? 'canary' : 'live');
    const traffic = ledger.of('m', '1');
    for (const code of [status.OK, status.RESOURCE_EXHAUSTED, status.INTERNAL, status.INVALID_ARGUMENT])
      traffic.finished(code, 1);
    traffic.ran(8, 0.5);
    traffic.shadowed({ outcome: 'ok', difference: { values: 2, sumAbsolute: 0.3, maxAbsolute: 0.2 } });
    now = 11 * MINUTE_MS;
    traffic.finished(status.OK, 20_000);
    const [first, second] = ledger.since(0);
    expect(first).toMatchObject({
      minute: 10,
      role: 'canary',
      calls: 4,
      rejected: 1,
      failures: 1,
      batches: 1,
      rows: 8,
    });
    expect(first?.latencyCounts[3]).toBe(1);
    expect(first?.shadow).toMatchObject({ runs: 1, values: 2, maxAbsolute: 0.2 });
    expect(second).toMatchObject({ minute: 11, role: 'live', calls: 1 });
    expect(second?.latencyCounts.at(-1)).toBe(1);
    expect(ledger.since(now)).toHaveLength(1);
  });

  it('goes on in the same minute where a version is loaded again, and keeps two hours', () => {
    let now = 10 * MINUTE_MS;
    const ledger = new TrafficLedger(() => now);
    ledger.of('m', '1').finished(status.OK, 1);
    ledger.forget('m', '1');
    ledger.of('m', '1').finished(status.OK, 1);
    expect(ledger.since(0).map(({ calls }) => calls)).toEqual([2]);
    now = 130 * MINUTE_MS;
    ledger.of('m', '1').finished(status.OK, 1);
    expect(ledger.since(0).map(({ minute }) => minute)).toEqual([130]);
  });
});

describe('MonitoringFeed', () => {
  it('cuts what there is into messages of bounded size, and asks the threads once for those who ask together', async () => {
    const wide = new SketchPlan({
      features: Array.from({ length: 4_000 }, (_, i) => ({
        ...{ kind: 'numeric' as const, name: `x${i}` },
        edges: Array.from({ length: 31 }, (_edge, k) => k),
      })),
      scores: [],
    });
    const ledger = new CountLedger();
    ledger.open('w@1/1', { model: 'w', version: '1', plan: wide });
    const sketch = new Uint8Array(new TableSketch(wide).toBytes());
    for (let hour = 1; hour <= 10; hour++) ledger.add({ key: 'w@1/1', hour, sketch });
    let collected = 0;
    const feed = new MonitoringFeed({
      ...{ counts: ledger, traffic: new TrafficLedger(), uncounted: () => [] },
      collect: async () => void (collected += 1),
    });
    await Promise.all([feed.collect(), feed.collect(), feed.collect()]);
    expect(collected).toBe(1);
    const messages = feed.next(MonitoringFeed.start(), { isLast: true });
    const bytes = messages.map(({ counts }) => counts.reduce((sum, each) => sum + each.sketch.length, 0));
    expect(Math.max(...bytes)).toBeLessThanOrEqual(1024 * 1024);
    expect(messages.flatMap(({ counts }) => counts)).toHaveLength(10);
    expect(messages.map(({ isLast }) => isLast).lastIndexOf(true)).toBe(messages.length - 1);
  });
});
