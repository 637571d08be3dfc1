import { Injectable } from '@nestjs/common';
import { AccountRepository } from '../accounts/account.repository.js';
import { EventRepository } from '../ingestion/event.repository.js';
import { CustomerFold } from './customer-fold.service.js';
import { OutboxRepository, type PendingBatch } from './outbox.repository.js';

/** Batches recovered at a time. */
const BATCHES = 50;

/** Folds what is found in the outbox. */
@Injectable()
export class BatchRecovery {
  constructor(
    private readonly fold: CustomerFold,
    private readonly events: EventRepository,
    private readonly accounts: AccountRepository,
    private readonly outbox: OutboxRepository,
  ) {}

  /**
   * Computes everything anew that some batches from before `before` touched, and removes them; doing it twice changes nothing.
   *
   * @returns how many batches; 0 when there are none left
   */
  async recoverSome(before: Date): Promise<number> {
    const batches = await this.outbox.listUnfolded(before, BATCHES);
    for (const [tenantId, ofTenant] of Map.groupBy(batches, (batch) => batch.tenantId)) {
      await this.recoverTenant(tenantId, ofTenant);
    }
    await this.outbox.remove(batches.map(({ id }) => id));
    return batches.length;
  }

  outboxSize(): Promise<number> {
    return this.outbox.size();
  }

  private async recoverTenant(tenantId: string, batches: readonly PendingBatch[]): Promise<void> {
    const customerIds = new Set(batches.flatMap((batch) => batch.customerIds));
    const accountEventIds = batches.flatMap((batch) => batch.accountEventIds);
    await this.fold.fold(
      tenantId,
      Array.from(customerIds, (customerId) => ({ customerId, since: -Infinity })),
    );
    await this.accounts.apply(tenantId, await this.events.findByIds(tenantId, accountEventIds));
  }
}
