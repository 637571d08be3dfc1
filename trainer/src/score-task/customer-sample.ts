import { crc32 } from '@sextant/learning';

const HASHES = 2 ** 32;

/** Where a customer stands among all, uniform in [0, 1), by seed and id alone. */
export function drawOf(customerId: string, seed: number): number {
  return crc32(`${seed}:${customerId}`) / HASHES;
}

/**
 * Rows of a seeded sample of customers, whole customers at a time, never more than `maxRows` in memory but for the newest
 * customer's. The share that is kept is the largest of 1, 1/2, 1/4, … whose rows fit, so it depends on the customers and the
 * seed, and not on their order.
 */
export class CustomerSample<T> {
  private kept = new Map<string, readonly T[]>();
  private rowCount = 0;
  private keptShare = 1;

  constructor(
    private readonly maxRows: number,
    private readonly seed: number,
  ) {}

  /** 1 while every customer is in the sample. */
  get share(): number {
    return this.keptShare;
  }

  /** False for a customer whose rows would not be kept, so that they need not be computed. */
  takes(customerId: string): boolean {
    return drawOf(customerId, this.seed) < this.keptShare;
  }

  /** Each customer once. */
  add(customerId: string, rows: readonly T[]): void {
    if (rows.length === 0 || !this.takes(customerId)) return;
    this.kept.set(customerId, rows);
    this.rowCount += rows.length;
    while (this.rowCount > this.maxRows && this.kept.size > 1) this.halve();
  }

  rows(): T[] {
    return [...this.kept.values()].flat();
  }

  private halve(): void {
    this.keptShare /= 2;
    for (const [customerId, rows] of this.kept) {
      if (this.takes(customerId)) continue;
      this.kept.delete(customerId);
      this.rowCount -= rows.length;
    }
  }
}
