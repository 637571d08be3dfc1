import type { Collection, Db } from 'mongodb';
import { addTraffic, type TrafficSlot, type VersionTraffic } from './traffic-slot.js';
import { MINUTE_MS } from './sketch-record.js';

type TrafficDocument = TrafficSlot & { _id: string };

const KEPT_HOURS = 24;

/** Requests of each worker, version and minute, kept for a day; running totals, so that writing one again changes nothing. */
export class TrafficRepository {
  private readonly traffic: Collection<TrafficDocument>;

  constructor(db: Db) {
    this.traffic = db.collection('monitoring_traffic');
  }

  async ensureIndexes(): Promise<void> {
    await this.traffic.createIndexes([
      { key: { tenantId: 1, model: 1, minute: 1 }, name: 'minutes_of_model' },
      { key: { minute: 1 }, name: 'expire_after_24_hours', expireAfterSeconds: KEPT_HOURS * 60 * 60 },
    ]);
  }

  /** Keeps of each worker, version and minute the slot that tells of the most. */
  async record(slots: readonly TrafficSlot[]): Promise<void> {
    if (slots.length === 0) return;
    await this.traffic.bulkWrite(
      slots.map((slot) => ({ updateOne: upsertOf(slot) })),
      { ordered: false },
    );
  }

  /** One entry a version and role, by version. @param between  half-open; whole minutes that begin in it */
  async read(
    { tenantId, model }: { tenantId: string; model: string },
    { from, to }: { from: Date; to: Date },
  ): Promise<VersionTraffic[]> {
    const found = this.traffic
      .find({ tenantId, model, minute: { $gte: from, $lt: to } })
      .sort({ version: 1, role: 1 });
    const sums = new Map<string, VersionTraffic>();
    for await (const slot of found) {
      const { version, role } = slot;
      const key = `${version}/${role}`;
      const before = sums.get(key);
      const { calls, failures, rejected, latency, batches, rows, computeMs, shadow } = slot;
      const own = { calls, failures, rejected, latency, batches, rows, computeMs, shadow };
      sums.set(key, { version, role, ...(before ? addTraffic(before, own) : own) });
    }
    return [...sums.values()];
  }

  /** When somebody last asked a version of a model, as far as it is kept; null where nobody did. */
  async lastCalledAt(tenantId: string, model: string): Promise<Date | null> {
    const [newest] = await this.traffic
      .find({ tenantId, model, calls: { $gt: 0 } })
      .sort({ minute: -1 })
      .limit(1)
      .toArray();
    return newest?.minute ?? null;
  }
}

/** How much a slot tells of: only ever grows within a minute of a worker. */
function weightOf({ calls, batches, shadow }: TrafficSlot): number {
  return calls + batches + shadow.runs + shadow.failures + shadow.dropped;
}

function upsertOf(slot: TrafficSlot) {
  const { tenantId, model, version, worker } = slot;
  const minute = new Date(Math.floor(slot.minute.getTime() / MINUTE_MS) * MINUTE_MS);
  const weight = weightOf(slot);
  const content = { ...slot, minute, weight };
  const _id = `${model}@${version}/${minute.toISOString()}/${worker}`;
  const isMore = { $gte: [weight, { $ifNull: ['$weight', -1] }] };
  return {
    filter: { _id, tenantId },
    update: [
      { $replaceWith: { $cond: [isMore, { $mergeObjects: [{ $literal: { _id, ...content } }] }, '$$ROOT'] } },
    ],
    upsert: true,
  };
}
