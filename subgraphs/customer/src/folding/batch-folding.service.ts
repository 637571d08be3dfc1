import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '@sextant/features';
import { AccountRepository } from '../accounts/account.repository.js';
import { CustomerFold, type FoldRequest } from './customer-fold.service.js';
import { LateFolding } from './late-folding.service.js';
import { OutboxRepository, type PendingBatch } from './outbox.repository.js';

/** Batches of at most so many customers are folded before the answer. */
export const FOLD_NOW_CUSTOMERS = 200;

/** Carries one batch of events from the outbox into the online states. */
@Injectable()
export class BatchFolding {
  constructor(
    private readonly fold: CustomerFold,
    private readonly late: LateFolding,
    private readonly outbox: OutboxRepository,
    private readonly accounts: AccountRepository,
  ) {}

  /** Before the events are stored: notes what will have to be folded. */
  announce(batch: PendingBatch): Promise<void> {
    return this.outbox.add(batch);
  }

  /** Runs a call of ingestion; late folding waits for a pause between calls. */
  async duringCall<T>(call: () => Promise<T>): Promise<T> {
    this.late.callStarted();
    return call().finally(() => this.late.callEnded());
  }

  /**
   * After the events are stored. Small batches are folded when it returns; larger ones later. A failure is no failure
   * of the events: they are durable, and the outbox keeps the batch until it is folded.
   */
  async complete(
    batch: PendingBatch,
    requests: readonly FoldRequest[],
    accountUpdates: readonly StoredEvent[],
  ): Promise<void> {
    try {
      await this.accounts.apply(batch.tenantId, accountUpdates);
      if (requests.length > FOLD_NOW_CUSTOMERS) return this.late.schedule(batch.tenantId, batch.id, requests);
      await this.fold.fold(batch.tenantId, requests);
      this.late.forget(batch);
    } catch (error) {
      this.late.retry(batch, error);
    }
  }

  /** Nothing new was stored. */
  forget(batch: PendingBatch): void {
    this.late.forget(batch);
  }

  /** Nobody knows what of the batch is stored. */
  abandon(batch: PendingBatch, error: unknown): void {
    this.late.retry(batch, error);
  }
}
