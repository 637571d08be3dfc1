import { customerIdOf } from '@sextant/features';

/** Customers remembered, over all tenants; half of them may be older than the other half. */
const CAPACITY = 200_000;

type IdsByTenant = Map<string, Map<string, string>>;

/**
 * Refs whose customers are stored, with their ids: spares a hash an event and a look-up a batch. Two generations stand
 * in for an exact order of use: the young one becomes the old one when it is full, and what was not used since is gone.
 */
export class KnownRefs {
  private young: IdsByTenant = new Map();
  private old: IdsByTenant = new Map();
  private youngSize = 0;

  constructor(private readonly capacity = CAPACITY) {}

  /** The id and whether the customer is known to be stored. */
  lookUp(tenantId: string, ref: string): { id: string; isStored: boolean } {
    const young = this.young.get(tenantId)?.get(ref);
    if (young !== undefined) return { id: young, isStored: true };
    const old = this.old.get(tenantId)?.get(ref);
    if (old === undefined) return { id: customerIdOf(tenantId, ref), isStored: false };
    this.remember(tenantId, ref, old);
    return { id: old, isStored: true };
  }

  noteStored(tenantId: string, customers: readonly { id: string; ref: string }[]): void {
    for (const { id, ref } of customers) this.remember(tenantId, ref, id);
  }

  private remember(tenantId: string, ref: string, id: string): void {
    if (this.youngSize >= this.capacity / 2) {
      [this.old, this.young, this.youngSize] = [this.young, new Map(), 0];
    }
    let ids = this.young.get(tenantId);
    if (!ids) this.young.set(tenantId, (ids = new Map()));
    if (!ids.has(ref)) this.youngSize += 1;
    ids.set(ref, id);
  }
}
