import type { PredictionMetrics } from '../prediction-metrics.js';
import { type LoggedDecision, loggedDecision, type NewDecision, roughSize } from '@sextant/decision-log';

/** Where rows go; the seam that lets a test take the store away. */
export interface DecisionSink {
  insertMany(rows: readonly NewDecision[]): Promise<void>;
}

export interface DecisionLogOptions {
  /** rows that may wait; one more drops the newest */
  maxRows: number;
  /** about how many bytes may wait, as JSON */
  maxBytes: number;
  flushEveryMs: number;
  /** rows of one insert, and the number that flushes at once */
  flushRows: number;
  /** a row that could not be stored for this long is dropped */
  giveUpAfterMs: number;
  /** milliseconds on any monotonic scale */
  now(): number;
}

export const DECISION_LOG_DEFAULTS: DecisionLogOptions = {
  maxRows: 10_000,
  maxBytes: 64 * 1024 * 1024,
  flushEveryMs: 100,
  flushRows: 500,
  giveUpAfterMs: 10 * 60_000,
  now: () => performance.now(),
};

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

interface WaitingRow {
  decision: NewDecision;
  bytes: number;
  since: number;
}

/**
 * Stores decisions behind the answers' backs: bounded, in batches, retried with growing pauses while the store is away.
 * A row that finds no room, or waited too long, is dropped and counted; a request never waits for it and never fails by it.
 */
export class DecisionLog {
  /** in order of arrival; rows stay until they are stored, so that they can be looked up */
  private readonly waiting = new Map<string, WaitingRow>();
  private waitingBytes = 0;
  private timer: NodeJS.Timeout | null = null;
  private flushing: Promise<void> | null = null;
  private retryMs = 0;
  private closed = false;

  constructor(
    private readonly sink: DecisionSink,
    private readonly metrics: PredictionMetrics,
    private readonly options: DecisionLogOptions = DECISION_LOG_DEFAULTS,
  ) {
    metrics.watchLog(() => this.waiting.size);
  }

  /** @returns false when there was no room and the row was dropped */
  record(decision: NewDecision): boolean {
    const bytes = roughSize(decision);
    const { maxRows, maxBytes, flushRows, flushEveryMs } = this.options;
    if (this.waiting.size >= maxRows || this.waitingBytes + bytes > maxBytes) {
      this.metrics.logDropped.inc();
      return false;
    }
    this.waiting.set(decision.id, { decision, bytes, since: this.options.now() });
    this.waitingBytes += bytes;
    this.schedule(
      this.retryMs === 0 && this.waiting.size >= flushRows ? 0 : Math.max(flushEveryMs, this.retryMs),
    );
    return true;
  }

  /** A row that is not stored yet; null for another tenant's. */
  findWaiting(tenantId: string, id: string): LoggedDecision | null {
    const decision = this.waiting.get(id)?.decision;
    return decision?.tenantId === tenantId ? loggedDecision(decision) : null;
  }

  /** Rows about a subject that are not stored yet, newest first. */
  listWaiting(tenantId: string, subject: string): LoggedDecision[] {
    const rows = [...this.waiting.values()].map(({ decision }) => decision);
    const own = rows.filter((row) => row.tenantId === tenantId && row.subject === subject);
    return own.map(loggedDecision).reverse();
  }

  /** Stores what waits, trying once; what then still waits is dropped and counted. Later rows are stored as they come. */
  async close(): Promise<void> {
    this.closed = true;
    await this.flush();
    if (this.waiting.size > 0) await this.flush();
    this.drop([...this.waiting.values()]);
  }

  private schedule(delayMs: number): void {
    if (this.closed) {
      void this.flush();
      return;
    }
    if (this.flushing !== null || (this.timer !== null && delayMs > 0)) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), delayMs);
  }

  private flush(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.flushing ??= this.storeAll().finally(() => {
      this.flushing = null;
      if (this.waiting.size > 0 && !this.closed) this.schedule(this.retryMs);
    });
    return this.flushing;
  }

  private async storeAll(): Promise<void> {
    while (this.waiting.size > 0) {
      const batch = firstOf(this.waiting.values(), this.options.flushRows);
      try {
        await this.sink.insertMany(batch.map(({ decision }) => decision));
      } catch {
        // the store's own alarms tell of it; here the rows wait, and those that waited too long are counted as dropped
        this.retryMs = Math.min(LONGEST_RETRY_MS, Math.max(FIRST_RETRY_MS, this.retryMs * 2));
        this.drop(batch.filter(({ since }) => this.options.now() - since >= this.options.giveUpAfterMs));
        return;
      }
      this.retryMs = 0;
      this.forget(batch);
      this.metrics.logWritten.inc(batch.length);
    }
  }

  private drop(rows: readonly WaitingRow[]): void {
    this.forget(rows);
    if (rows.length > 0) this.metrics.logDropped.inc(rows.length);
  }

  private forget(rows: readonly WaitingRow[]): void {
    for (const { decision, bytes } of rows) if (this.waiting.delete(decision.id)) this.waitingBytes -= bytes;
  }
}

function firstOf<T>(values: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const value of values) {
    if (taken.length === count) break;
    taken.push(value);
  }
  return taken;
}
