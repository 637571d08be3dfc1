import { customerIdOf } from '@sextant/features';
import { LRUCache } from 'lru-cache';

/** Customers remembered, over all tenants. */
const CAPACITY = 200_000;

/** Refs whose customers are stored, with their ids: spares a hash an event and an upsert a batch. */
export class KnownRefs {
  private readonly ids = new LRUCache<string, string>({ max: CAPACITY });

  /** The id and whether the customer is known to be stored. */
  lookUp(tenantId: string, ref: string): { id: string; isStored: boolean } {
    const id = this.ids.get(keyOf(tenantId, ref));
    return id === undefined ? { id: customerIdOf(tenantId, ref), isStored: false } : { id, isStored: true };
  }

  noteStored(tenantId: string, customers: readonly { id: string; ref: string }[]): void {
    for (const { id, ref } of customers) this.ids.set(keyOf(tenantId, ref), id);
  }
}

function keyOf(tenantId: string, ref: string): string {
  return `${tenantId}\0${ref}`;
}
