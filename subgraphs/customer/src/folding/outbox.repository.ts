import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { type Collection, Db, ObjectId } from 'mongodb';
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

interface OutboxDocument extends Omit<PendingBatch, 'id'> {
  _id: ObjectId;
}

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

  async add({ id, ...batch }: PendingBatch): Promise<void> {
    await this.outbox.insertOne({ _id: id, ...batch });
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
    return found.map(({ _id: id, ...batch }) => ({ id, ...batch }));
  }

  async size(): Promise<number> {
    return this.outbox.estimatedDocumentCount();
  }
}
