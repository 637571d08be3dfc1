import { setTimeout } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { ObjectId } from 'mongodb';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import { CustomerFold, type FoldRequest } from './customer-fold.service.js';
import { OutboxRepository, type PendingBatch } from './outbox.repository.js';

/** Customers kept in memory; batches beyond are left to the recovery of the outbox. */
const MAX_CUSTOMERS = 200_000;
/** Customers folded between two looks at the clock. */
const CHUNK = 100;
const RETRY_MS = 1_000;
/** How long closing waits for what is left to fold, and then for the customers just being folded. */
const CLOSE_TIMEOUT_MS = 5_000;
const CHUNK_TIMEOUT_MS = 1_000;

/** Batches that wait together: each customer is folded once for all of them. */
interface Waiting {
  /** when the first batch came, by `performance.now()` */
  since: number;
  batches: ObjectId[];
  /** tenant → customer → time of the earliest unfolded event */
  tenants: Map<string, Map<string, number>>;
  customers: number;
}

/** Folds large batches behind the answer: once ingestion is idle, or the oldest batch has waited long enough. */
@Injectable()
export class LateFolding implements OnModuleDestroy {
  private waiting: Waiting | null = null;
  private flushing: Waiting | null = null;
  private calls = 0;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly fold: CustomerFold,
    private readonly outbox: OutboxRepository,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {
    surroundings.metrics.watchLag(() => {
      const oldest = this.flushing ?? this.waiting;
      return oldest ? performance.now() - oldest.since : 0;
    });
  }

  /** Takes over a stored batch; when memory is full the batch stays in the outbox and is found there later. */
  schedule(tenantId: string, batch: ObjectId, requests: readonly FoldRequest[]): void {
    const waiting = (this.waiting ??= noneWaiting());
    if (waiting.customers + requests.length > MAX_CUSTOMERS && waiting.batches.length > 0) return;
    waiting.batches.push(batch);
    addTo(waiting, tenantId, requests);
    this.arm();
  }

  /** The batch was announced and something failed since: what is stored of it is read and folded once the store is back. */
  retry(batch: PendingBatch, error: unknown): void {
    this.surroundings.logger.warn(
      { err: error },
      'a batch could not be stored or folded; its customers are computed anew',
    );
    if (batch.accountEventIds.length > 0) return; // recovery of the outbox knows accounts too
    const requests = batch.customerIds.map((customerId) => ({ customerId, since: -Infinity }));
    this.schedule(batch.tenantId, batch.id, requests);
  }

  /** Nothing is left to do for the batch; should the removal fail, recovery folds it again, to the same result. */
  forget(batch: PendingBatch): void {
    this.outbox.remove([batch.id]).catch((error: unknown) => {
      this.surroundings.logger.debug({ err: error }, 'a folded batch stays in the outbox until recovery');
    });
  }

  /** Ingestion is busy from now on: whatever waits is put off, up to its longest wait. */
  callStarted(): void {
    this.calls += 1;
    this.arm();
  }

  callEnded(): void {
    this.calls -= 1;
    this.arm();
  }

  /** Folds what waits, as far as the store allows within a few seconds; the rest stays in the outbox. */
  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const rest = this.running.then(() => this.flush());
    const isDone = await endsWithin(rest, CLOSE_TIMEOUT_MS);
    this.stopped = true;
    clearTimeout(this.timer);
    if (!isDone) await endsWithin(rest, CHUNK_TIMEOUT_MS);
  }

  private arm(delayMs?: number): void {
    clearTimeout(this.timer);
    if (!this.waiting || this.flushing || this.stopped) return;
    const { foldingTimes } = this.surroundings;
    const waitedMs = performance.now() - this.waiting.since;
    const longestMs = Math.max(0, foldingTimes.maxWaitMs - waitedMs);
    const idleMs = this.calls > 0 ? longestMs : foldingTimes.idleMs;
    const dueMs = delayMs ?? Math.min(idleMs, longestMs);
    this.timer = globalThis.setTimeout(() => {
      this.running = this.flush();
    }, dueMs);
  }

  private async flush(): Promise<void> {
    const batch = this.waiting;
    if (!batch || this.flushing) return;
    this.waiting = null;
    this.flushing = batch;
    let retryMs: number | undefined;
    try {
      for (const [tenantId, customers] of batch.tenants) await this.foldPolitely(tenantId, customers);
      await this.outbox.remove(batch.batches);
    } catch (error) {
      const detail = this.stopped ? 'closed with batches left to fold' : 'folding failed; it is tried again';
      this.surroundings.logger.warn(
        { err: error, batches: batch.batches.length },
        `${detail}; they are in the outbox`,
      );
      this.putBack(batch);
      retryMs = RETRY_MS;
    }
    this.flushing = null;
    this.arm(retryMs);
  }

  /** Some customers at a time; while ingestion is busy, folding takes a third of the time and leaves it two. */
  private async foldPolitely(tenantId: string, customers: ReadonlyMap<string, number>): Promise<void> {
    const requests = Array.from(customers, ([customerId, since]) => ({ customerId, since }));
    for (let start = 0; start < requests.length; start += CHUNK) {
      if (this.stopped) throw new DomainError('STORE_UNAVAILABLE', 'the process is closing');
      const startedMs = performance.now();
      await this.fold.fold(tenantId, requests.slice(start, start + CHUNK));
      if (this.calls > 0) await setTimeout(2 * (performance.now() - startedMs));
    }
  }

  private putBack(batch: Waiting): void {
    const since = this.waiting;
    this.waiting = batch;
    if (!since) return;
    batch.batches.push(...since.batches);
    for (const [tenantId, customers] of since.tenants) {
      addTo(
        batch,
        tenantId,
        Array.from(customers, ([customerId, earliest]) => ({ customerId, since: earliest })),
      );
    }
  }
}

async function endsWithin(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  return Promise.race([work.then(() => true), setTimeout(timeoutMs, false, { ref: false })]);
}

function noneWaiting(): Waiting {
  return { since: performance.now(), batches: [], tenants: new Map(), customers: 0 };
}

function addTo(waiting: Waiting, tenantId: string, requests: readonly FoldRequest[]): void {
  let customers = waiting.tenants.get(tenantId);
  if (!customers) waiting.tenants.set(tenantId, (customers = new Map()));
  for (const { customerId, since } of requests) {
    const known = customers.get(customerId);
    if (known === undefined) waiting.customers += 1;
    if (known === undefined || since < known) customers.set(customerId, since);
  }
}
