import { DomainError } from '@sextant/domain';
import { Inject, Injectable } from '@nestjs/common';
import { eventIdOf, type StoredEvent } from '@sextant/features';
import { ObjectId } from 'mongodb';
import { CustomerRepository } from '../customers/customer.repository.js';
import { BatchFolding } from '../folding/batch-folding.service.js';
import type { PendingBatch } from '../folding/outbox.repository.js';
import { storeFailure, withinDeadline } from '../store.js';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import {
  accountUpdatesOf,
  checkBatch,
  type CheckedBatch,
  foldRequestsOf,
  unknownTypesOf,
} from './event-batch.js';
import type { RejectedEvent } from './event-validation.js';
import { EventRepository } from './event.repository.js';
import { KnownRefs } from './known-refs.js';

export const MAX_BATCH = 5_000;

export interface IngestPayload {
  accepted: number;
  duplicates: number;
  rejected: RejectedEvent[];
  watermark: Date;
}

@Injectable()
export class IngestionService {
  private readonly knownRefs = new KnownRefs();

  constructor(
    private readonly events: EventRepository,
    private readonly customers: CustomerRepository,
    private readonly folding: BatchFolding,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  /**
   * Checks each row alone, stores the good ones durably and once, and folds them.
   *
   * @throws DomainError BATCH_TOO_LARGE; STORE_UNAVAILABLE or STORE_DEADLINE_EXCEEDED when nothing can be promised:
   *         the same batch may be sent again and doubles nothing
   */
  async ingest(tenantId: string, rows: readonly unknown[]): Promise<IngestPayload> {
    if (rows.length > MAX_BATCH) {
      throw new DomainError(
        'BATCH_TOO_LARGE',
        `a batch holds at most ${MAX_BATCH} events, got ${rows.length}`,
        { path: 'events' },
      );
    }
    return this.folding.duringCall(() => this.ingestBatch(tenantId, rows));
  }

  private async ingestBatch(tenantId: string, rows: readonly unknown[]): Promise<IngestPayload> {
    const { clock, storeTimeoutMs } = this.surroundings;
    const deadlineMs = performance.now() + storeTimeoutMs;
    const now = clock.now();
    const checked = checkBatch(tenantId, rows, { knownRefs: this.knownRefs, nowMs: now.getTime() });
    const batch = pendingBatch(tenantId, now, checked);
    const stored = await withinDeadline(this.store(checked, batch), storeTimeoutMs).catch(
      (error: unknown) => {
        this.folding.abandon(batch, error);
        throw storeFailure(error);
      },
    );
    const watermark = clock.now();
    // past the deadline folding goes on behind the answer: the events are durable either way
    const folded = this.foldStored(batch, checked, stored);
    await withinDeadline(folded, Math.max(0, deadlineMs - performance.now())).catch(() => undefined);
    return this.payloadOf(tenantId, checked, { stored, watermark });
  }

  private async store(checked: CheckedBatch, batch: PendingBatch): Promise<readonly StoredEvent[]> {
    const { documents, unknown } = checked;
    if (documents.length === 0) return [];
    const [replayed] = await Promise.all([
      this.events.findReplayed(documents),
      this.customers.ensure(batch.tenantId, unknown),
      this.folding.announce(batch),
    ]);
    this.knownRefs.noteStored(batch.tenantId, unknown);
    return this.events.insertNew(
      replayed.size === 0 ? documents : documents.filter(({ _id }) => !replayed.has(_id)),
    );
  }

  private async foldStored(
    batch: PendingBatch,
    checked: CheckedBatch,
    stored: readonly StoredEvent[],
  ): Promise<void> {
    if (checked.documents.length === 0) return;
    if (stored.length === 0) return this.folding.forget(batch);
    await this.folding.complete(batch, foldRequestsOf(checked, stored), accountUpdatesOf(stored));
  }

  private payloadOf(
    tenantId: string,
    { documents, repeated, rejected }: CheckedBatch,
    { stored, watermark }: { stored: readonly StoredEvent[]; watermark: Date },
  ): IngestPayload {
    const duplicates = repeated + documents.length - stored.length;
    const counts = { accepted: stored.length, duplicate: duplicates, rejected: rejected.length };
    this.surroundings.metrics.countEvents(tenantId, { ...counts, unknown: unknownTypesOf(stored) });
    return { accepted: stored.length, duplicates, rejected, watermark };
  }
}

function pendingBatch(tenantId: string, at: Date, { documents, earliest }: CheckedBatch): PendingBatch {
  return {
    id: new ObjectId(),
    tenantId,
    at,
    customerIds: [...earliest.keys()],
    accountEventIds: accountUpdatesOf(documents).map(eventIdOf),
  };
}
