import { DomainError } from '@sextant/domain';

/** Connections with streams, by tenant. */
export class ConnectionCount {
  private readonly counts = new Map<string, number>();

  /** @param limit  of one tenant */
  constructor(private readonly limit: number) {}

  /**
   * @returns how to give the place back, once
   * @throws DomainError STREAM_LIMIT_REACHED
   */
  enter(tenantId: string): () => void {
    const count = this.counts.get(tenantId) ?? 0;
    if (count >= this.limit) {
      throw new DomainError(
        'STREAM_LIMIT_REACHED',
        `the tenant has ${this.limit} connections with streams open: close some, or put several subscriptions on one WebSocket`,
        { retryAfterMs: 10_000 },
      );
    }
    this.counts.set(tenantId, count + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const left = (this.counts.get(tenantId) ?? 1) - 1;
      if (left === 0) this.counts.delete(tenantId);
      else this.counts.set(tenantId, left);
    };
  }
}
