import type { StoredEvent } from '@sextant/features';
import type { SeenCustomer } from '../customers/customer.repository.js';
import type { FoldRequest } from '../folding/customer-fold.service.js';
import { checkEvent, isFault, isKnownType, type RejectedEvent, reportedId } from './event-validation.js';
import type { KnownRefs } from './known-refs.js';

/** A batch after checking: what to store, what not, and who is in it. */
export interface CheckedBatch {
  documents: StoredEvent[];
  rejected: RejectedEvent[];
  /** rows whose id stood earlier in the batch */
  repeated: number;
  /** customers who may be new */
  unknown: SeenCustomer[];
}

/** Checks each row on its own. */
export function checkBatch(
  tenantId: string,
  rows: readonly unknown[],
  { knownRefs, nowMs }: { knownRefs: KnownRefs; nowMs: number },
): CheckedBatch {
  const batch: CheckedBatch = { documents: [], rejected: [], repeated: 0, unknown: [] };
  const keys = new Set<string>();
  const idByRef = new Map<string, string>();
  const unknown = new Map<string, SeenCustomer>();
  const customerIdFor = (ref: string): string => {
    const seen = idByRef.get(ref);
    if (seen !== undefined) return seen;
    const { id, isStored } = knownRefs.lookUp(tenantId, ref);
    idByRef.set(ref, id);
    if (!isStored) unknown.set(id, { id, ref, at: new Date(nowMs) });
    return id;
  };
  rows.forEach((row, index) => {
    const checked = checkEvent(row, { tenantId, nowMs, customerIdFor });
    if (isFault(checked)) {
      const { path, message } = checked;
      batch.rejected.push({
        index,
        id: reportedId(row),
        code: 'INVALID_INPUT',
        message: `${path} ${message}`.trimStart(),
        path,
      });
      return;
    }
    if (keys.has(checked._id)) {
      batch.repeated += 1;
      return;
    }
    keys.add(checked._id);
    batch.documents.push(checked);
    const newcomer = checked.customerId === undefined ? undefined : unknown.get(checked.customerId);
    if (newcomer && checked.at < newcomer.at) newcomer.at = checked.at;
  });
  batch.unknown = [...unknown.values()];
  return batch;
}

/** One request for each customer of the events, with the events at hand. */
export function foldRequestsOf(documents: readonly StoredEvent[]): FoldRequest[] {
  const byCustomer = new Map<string, StoredEvent[]>();
  for (const event of documents) {
    if (event.customerId === undefined) continue;
    const events = byCustomer.get(event.customerId);
    if (events) events.push(event);
    else byCustomer.set(event.customerId, [event]);
  }
  return Array.from(byCustomer, ([customerId, events]) => ({
    customerId,
    since: events.reduce((earliest, { at }) => Math.min(earliest, at.getTime()), Infinity),
    events,
  }));
}

export function accountUpdatesOf(documents: readonly StoredEvent[]): StoredEvent[] {
  return documents.filter(({ type }) => type === 'account_update');
}

export function unknownTypesOf(documents: readonly StoredEvent[]): number {
  return documents.reduce((count, { type }) => count + (isKnownType(type) ? 0 : 1), 0);
}
