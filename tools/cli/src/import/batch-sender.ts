import { DomainError } from '@sextant/domain';

/** One row on its way: its JSON, and the data row it came from. */
export interface OutgoingRow {
  json: string;
  row: number;
}

/**
 * Collects rows into batches and keeps a few of them under way at once. `add` waits while as many as allowed are under way,
 * so that reading never runs ahead of sending.
 */
export class BatchSender {
  private rows: OutgoingRow[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private failure: { error: unknown } | null = null;

  /** @param send  sends one batch and records what came of it */
  constructor(
    private readonly send: (rows: readonly OutgoingRow[]) => Promise<void>,
    private readonly limits: { batch: number; inFlight: number },
  ) {}

  /** @throws whatever an earlier batch failed with */
  async add(row: OutgoingRow): Promise<void> {
    this.rows.push(row);
    if (this.rows.length >= this.limits.batch) await this.dispatch();
  }

  /** Sends the rest and waits for all. @throws whatever a batch failed with */
  async drain(): Promise<void> {
    if (this.rows.length > 0) await this.dispatch();
    await Promise.all(this.underWay);
    this.rethrow();
  }

  private async dispatch(): Promise<void> {
    while (this.underWay.size >= this.limits.inFlight) await Promise.race(this.underWay);
    this.rethrow();
    const rows = this.rows;
    this.rows = [];
    const batch = this.sendOrSplit(rows)
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => this.underWay.delete(batch));
    this.underWay.add(batch);
  }

  /** A batch that the graph finds too large goes in halves. */
  private async sendOrSplit(rows: readonly OutgoingRow[]): Promise<void> {
    try {
      await this.send(rows);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'BATCH_TOO_LARGE' || rows.length === 1)
        throw error;
      const half = Math.ceil(rows.length / 2);
      await this.sendOrSplit(rows.slice(0, half));
      await this.sendOrSplit(rows.slice(half));
    }
  }

  private rethrow(): void {
    if (this.failure) throw this.failure.error;
  }
}
