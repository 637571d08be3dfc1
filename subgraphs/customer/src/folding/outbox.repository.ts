import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Binary, type Collection, Db, ObjectId } from 'mongodb';
import { DATABASE } from '../store.js';

/** A batch of events whose customers and accounts are not known to be folded yet. */
export interface PendingBatch {
  id: ObjectId;
  tenantId: string;
  /** when it came in */
  at: Date;
  customerIds: readonly string[];
  /** ids of the batch's `account_update` events */
  accountEventIds: readonly string[];
}

interface OutboxDocument extends Omit<PendingBatch, 'id' | 'customerIds'> {
  _id: ObjectId;
  /** the 12 bytes of each customer id, one after the other: a quarter of the size of a list of texts */
  customers: Binary;
}

const ID_PREFIX = 'cus_';
const ID_BYTES = 12;

/**
 * What has to be folded, written before the events are: whatever dies in between, the next process that looks finds the
 * batch and computes its customers anew. A folded batch is removed.
 */
@Injectable()
export class OutboxRepository implements OnModuleInit {
  private readonly outbox: Collection<OutboxDocument>;

  constructor(@Inject(DATABASE) db: Db) {
    this.outbox = db.collection<OutboxDocument>('fold_outbox');
  }

  async onModuleInit(): Promise<void> {
    await this.outbox.createIndex({ at: 1 }, { name: 'oldest_unfolded' });
  }

  async add({ id, customerIds, ...batch }: PendingBatch): Promise<void> {
    await this.outbox.insertOne({ _id: id, customers: packIds(customerIds), ...batch });
  }

  async remove(ids: readonly ObjectId[]): Promise<void> {
    if (ids.length > 0) await this.outbox.deleteMany({ _id: { $in: [...ids] } });
  }

  /** Batches of all tenants that came in before `before`, oldest first. */
  async listUnfolded(before: Date, limit: number): Promise<PendingBatch[]> {
    const found = await this.outbox
      .find({ at: { $lt: before } })
      .sort({ at: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id: id, customers, ...batch }) => ({
      id,
      customerIds: unpackIds(customers),
      ...batch,
    }));
  }

  /** How many of the tenant's batches wait, and since when the oldest. */
  async pendingOf(tenantId: string): Promise<{ batches: number; oldestAt: Date | null }> {
    const [pending] = await this.outbox
      .aggregate<{ batches: number; oldestAt: Date }>([
        { $match: { tenantId } },
        { $group: { _id: null, batches: { $sum: 1 }, oldestAt: { $min: '$at' } } },
      ])
      .toArray();
    return { batches: pending?.batches ?? 0, oldestAt: pending?.oldestAt ?? null };
  }

  async size(): Promise<number> {
    return this.outbox.estimatedDocumentCount();
  }
}

function packIds(customerIds: readonly string[]): Binary {
  return new Binary(Buffer.from(customerIds.map((id) => id.slice(ID_PREFIX.length)).join(''), 'hex'));
}

function unpackIds(customers: Binary): string[] {
  const hex = customers.toString('hex');
  const digits = 2 * ID_BYTES;
  return Array.from(
    { length: hex.length / digits },
    (_, i) => ID_PREFIX + hex.slice(i * digits, (i + 1) * digits),
  );
}
