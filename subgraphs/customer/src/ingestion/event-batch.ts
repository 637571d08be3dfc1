import type { StoredEvent } from '@sextant/features';
import type { SeenCustomer } from '../customers/customer.repository.js';
import { FOLD_NOW_CUSTOMERS } from '../folding/batch-folding.service.js';
import type { FoldRequest } from '../folding/customer-fold.service.js';
import {
  checkEvent,
  type Fault,
  isFault,
  isKnownType,
  type RejectedEvent,
  reportedId,
} from './event-validation.js';
import type { KnownRefs } from './known-refs.js';

/** A batch after checking: what to store, what not, and who is in it. */
export interface CheckedBatch {
  documents: StoredEvent[];
  rejected: RejectedEvent[];
  /** rows whose id stood earlier in the batch */
  repeated: number;
  /** customers who may be new */
  unknown: SeenCustomer[];
  /** customer → time of the earliest event in milliseconds since 1970 */
  earliest: Map<string, number>;
}

/** Checks each row on its own. */
export function checkBatch(
  tenantId: string,
  rows: readonly unknown[],
  { knownRefs, nowMs }: { knownRefs: KnownRefs; nowMs: number },
): CheckedBatch {
  const batch: CheckedBatch = { documents: [], rejected: [], repeated: 0, unknown: [], earliest: new Map() };
  const keys = new Set<string>();
  const byRef = new Map<string, Person>();
  const current: { person: Person | null } = { person: null };
  const customerIdFor = (ref: string): string => {
    let person = byRef.get(ref);
    if (!person) {
      person = { ...knownRefs.lookUp(tenantId, ref), earliest: Infinity };
      byRef.set(ref, person);
    }
    current.person = person;
    return person.id;
  };
  for (const [index, row] of rows.entries()) {
    current.person = null;
    const checked = checkEvent(row, { tenantId, nowMs, customerIdFor });
    if (isFault(checked)) batch.rejected.push(rejectionOf(row, index, checked));
    else if (keys.size === keys.add(checked._id).size) batch.repeated += 1;
    else addTo(batch.documents, checked, current.person);
  }
  for (const [ref, { id, isStored, earliest }] of byRef) {
    if (earliest < Infinity) batch.earliest.set(id, earliest);
    if (!isStored) batch.unknown.push({ id, ref, at: new Date(earliest === Infinity ? nowMs : earliest) });
  }
  return batch;
}

/** Whom rows of a batch are about; `earliest`: of what is to be stored, milliseconds since 1970. */
interface Person {
  id: string;
  isStored: boolean;
  earliest: number;
}

function addTo(documents: StoredEvent[], event: StoredEvent, person: Person | null): void {
  documents.push(event);
  if (person) person.earliest = Math.min(person.earliest, event.at.getTime());
}

function rejectionOf(row: unknown, index: number, { path, message }: Fault): RejectedEvent {
  return {
    index,
    id: reportedId(row),
    code: 'INVALID_INPUT',
    message: `${path} ${message}`.trimStart(),
    path,
  };
}

/** One request for each customer of the batch; with the events at hand while the customers are few. */
export function foldRequestsOf({ earliest }: CheckedBatch, stored: readonly StoredEvent[]): FoldRequest[] {
  if (earliest.size > FOLD_NOW_CUSTOMERS)
    return Array.from(earliest, ([customerId, since]) => ({ customerId, since }));
  const byCustomer = Map.groupBy(stored, ({ customerId = '' }) => customerId);
  byCustomer.delete('');
  return Array.from(byCustomer, ([customerId, events]) => ({
    customerId,
    since: events.reduce((first, { at }) => Math.min(first, at.getTime()), Infinity),
    events,
  }));
}

export function accountUpdatesOf(documents: readonly StoredEvent[]): StoredEvent[] {
  return documents.filter(({ type }) => type === 'account_update');
}

export function unknownTypesOf(documents: readonly StoredEvent[]): number {
  return documents.reduce((count, { type }) => count + (isKnownType(type) ? 0 : 1), 0);
}
