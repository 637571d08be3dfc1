import { SketchPlan, TableSketch } from '@sextant/learning/sketch';
import { Binary, type Collection, type Db } from 'mongodb';
import type { Window } from './monitoring-report.js';
import { type CountedVersion, HOUR_MS, type SketchRecord } from './sketch-record.js';

interface SketchDocument {
  _id: string;
  tenantId: string;
  model: string;
  version: number;
  hour: Date;
  worker: string;
  rows: number;
  sketch: Binary;
}

/** Windows may be looked at again for so long. */
const KEPT_DAYS = 40;

/** Sums over the workers of a window. */
export interface MergedSketch {
  sketch: TableSketch;
  workers: number;
}

/**
 * What workers counted, one document a worker, version and hour. Each holds running totals, so writing one again, or an older one late,
 * changes nothing.
 */
export class SketchRepository {
  private readonly sketches: Collection<SketchDocument>;

  constructor(db: Db) {
    this.sketches = db.collection('monitoring_sketches');
  }

  async ensureIndexes(): Promise<void> {
    await this.sketches.createIndexes([
      { key: { tenantId: 1, model: 1, version: 1, hour: 1 }, name: 'window_of_version' },
      { key: { hour: 1 }, name: 'expire_after_40_days', expireAfterSeconds: KEPT_DAYS * 24 * 60 * 60 },
    ]);
  }

  /** Keeps of each worker, version and hour the record with the most rows. */
  async record(records: readonly SketchRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.sketches.bulkWrite(
      records.map((record) => ({ updateOne: upsertOf(record) })),
      { ordered: false },
    );
  }

  /**
   * What all workers counted together; null where nobody counted anything.
   *
   * @param plan  of the version's reference
   * @throws DomainError INVALID_INPUT for counts of another plan
   */
  async merged(
    {
      tenantId,
      model,
      version,
      window,
    }: { tenantId: string; model: string; version: number; window: Window },
    plan: SketchPlan,
  ): Promise<MergedSketch | null> {
    const found = this.sketches.find(
      { tenantId, model, version, hour: { $gte: window.from, $lt: window.to } },
      { projection: { worker: 1, sketch: 1 } },
    );
    const workers = new Set<string>();
    const sum = new TableSketch(plan);
    for await (const { worker, sketch } of found) {
      workers.add(worker);
      sum.merge(TableSketch.fromBytes(plan, sketch.value()));
    }
    return workers.size === 0 ? null : { sketch: sum, workers: workers.size };
  }

  /** How much was counted of a version, without reading what. */
  async countRows({
    tenantId,
    model,
    version,
    window,
  }: {
    tenantId: string;
    model: string;
    version: number;
    window: Window;
  }): Promise<{ rows: number; workers: number }> {
    const found = await this.sketches
      .find(
        { tenantId, model, version, hour: { $gte: window.from, $lt: window.to } },
        { projection: { worker: 1, rows: 1 } },
      )
      .toArray();
    return {
      rows: found.reduce((sum, { rows }) => sum + rows, 0),
      workers: new Set(found.map(({ worker }) => worker)).size,
    };
  }

  /** Versions of all tenants of which anything was counted in a window: for the monitoring loop. */
  async listCounted({ from, to }: Window): Promise<CountedVersion[]> {
    const groups = await this.sketches
      .aggregate<{ _id: Omit<CountedVersion, 'rows'>; rows: number }>([
        { $match: { hour: { $gte: from, $lt: to } } },
        {
          $group: {
            _id: { tenantId: '$tenantId', model: '$model', version: '$version' },
            rows: { $sum: '$rows' },
          },
        },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    return groups.map(({ _id, rows }) => ({ ..._id, rows }));
  }
}

function upsertOf({ sketch, ...record }: SketchRecord) {
  const { tenantId, model, version, worker, rows } = record;
  const hour = new Date(Math.floor(record.hour.getTime() / HOUR_MS) * HOUR_MS);
  const isMore = { $gt: [rows, { $ifNull: ['$rows', -1] }] };
  return {
    filter: { _id: `${model}@${version}/${hour.toISOString()}/${worker}`, tenantId },
    update: [
      {
        $set: {
          model: { $literal: model },
          version,
          hour,
          worker: { $literal: worker },
          sketch: { $cond: [isMore, new Binary(sketch), '$sketch'] },
          rows: { $cond: [isMore, rows, '$rows'] },
        },
      },
    ],
    upsert: true,
  };
}
