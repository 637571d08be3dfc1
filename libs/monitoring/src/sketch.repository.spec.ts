import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SketchPlan, TableSketch } from '@sextant/learning/sketch';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { HOUR_MS } from './sketch-record.js';
import { SketchRepository } from './sketch.repository.js';

const plan = new SketchPlan({
  features: [{ kind: 'numeric', name: 'visits', edges: [1, 5] }],
  scores: [{ kind: 'numeric', name: 'probability', edges: [0.5] }],
});
const HOUR = Date.parse('2026-03-01T10:00:00Z');
const of = { tenantId: 'demo', model: 'demo.lead', version: 3 };
const window = { from: new Date(HOUR), to: new Date(HOUR + 2 * HOUR_MS) };

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

async function anEmptyStore(): Promise<SketchRepository> {
  await client.db().collection('monitoring_sketches').deleteMany({});
  const store = new SketchRepository(client.db());
  await store.ensureIndexes();
  return store;
}

function sketchOf(...visits: number[]): TableSketch {
  const sketch = new TableSketch(plan);
  const columns = [{ kind: 'numeric' as const, name: 'visits', values: Float64Array.from(visits) }];
  sketch.addTable({ rows: visits.length, columns });
  sketch.addScores(
    'probability',
    visits.map((visit) => visit / 10),
  );
  return sketch;
}

const record = (worker: string, hour: number, sketch: TableSketch) => ({
  ...of,
  hour: new Date(hour),
  worker,
  rows: sketch.rows,
  sketch: sketch.toBytes(),
});

describe('SketchRepository', () => {
  it('sums workers and hours to what one pass over all rows counts', async () => {
    const store = await anEmptyStore();
    await store.record([
      record('a', HOUR, sketchOf(0, 3)),
      record('b', HOUR, sketchOf(9)),
      record('a', HOUR + HOUR_MS, sketchOf(Number.NaN, 2)),
    ]);
    const merged = await store.merged({ ...of, window }, plan);
    expect(merged?.workers).toBe(2);
    expect(merged?.sketch.toBytes()).toEqual(sketchOf(0, 3, 9, Number.NaN, 2).toBytes());
  });

  it('keeps the largest total of a worker and hour, in whatever order and however often totals come', async () => {
    const store = await anEmptyStore();
    const [early, late] = [record('a', HOUR, sketchOf(0)), record('a', HOUR, sketchOf(0, 3, 9))];
    await store.record([early]);
    await Promise.all([store.record([late]), store.record([early]), store.record([late])]);
    await store.record([early, late, early]);
    expect((await store.merged({ ...of, window }, plan))?.sketch.rows).toBe(3);
  });

  it('leaves out hours beside the window, other versions and other tenants', async () => {
    const store = await anEmptyStore();
    await store.record([
      record('a', HOUR - HOUR_MS, sketchOf(1)),
      record('a', HOUR + 2 * HOUR_MS, sketchOf(1)),
      { ...record('a', HOUR, sketchOf(1)), version: 4 },
      { ...record('a', HOUR, sketchOf(1, 2)), tenantId: 'other', model: 'other.lead' },
    ]);
    expect(await store.merged({ ...of, window }, plan)).toBeNull();
    expect(await store.listCounted(window)).toEqual([
      { ...of, version: 4, rows: 1 },
      { tenantId: 'other', model: 'other.lead', version: 3, rows: 2 },
    ]);
  });

  it('refuses to add counts of another plan', async () => {
    const store = await anEmptyStore();
    await store.record([record('a', HOUR, sketchOf(1))]);
    const other = new SketchPlan({
      features: [{ kind: 'numeric', name: 'visits', edges: [2, 5] }],
      scores: [],
    });
    await expect(store.merged({ ...of, window }, other)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
