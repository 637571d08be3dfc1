import { DomainError } from '@sextant/domain';
import { type Random, randomPermutation } from '../random/seeded-random.js';

/**
 * One customer meeting one item. An interaction counts as relevant unless it says `relevant: false` (a poor rating, a return):
 * relevant ones form the history that a score is made of and are what a ranking must hit; the others only tell that the
 * customer knows the item, and that two items are met by the same people.
 */
export interface Interaction {
  itemId: string;
  /** Unix milliseconds. */
  at: number;
  relevant?: boolean;
}

export interface CustomerInteractions {
  customerId: string;
  interactions: readonly Interaction[];
}

/** A customer's interactions as columns, oldest first. */
export interface IndexedCustomer {
  items: Uint32Array;
  relevant: Uint8Array;
  at: Float64Array;
}

export interface IndexedInteractions {
  /** Item ids in the order of their indices. */
  items: string[];
  customers: IndexedCustomer[];
  interactionCount: number;
  /** Items left out because more than `maxItems` were met; the least met go first. */
  droppedItems: number;
}

/** A customer's past and what came after it. */
export interface SplitCustomer {
  train: IndexedCustomer;
  test: IndexedCustomer;
}

/**
 * Numbers the items (by id, so that the order of customers does not matter) and sorts each customer by time; interactions of
 * the same instant keep the order given.
 *
 * @param catalogue  ids of items that count even if nobody met them
 * @throws DomainError DATA_INSUFFICIENT when no interaction is given, INVALID_INPUT when a time is not finite
 */
export async function indexInteractions(
  customers: Iterable<CustomerInteractions> | AsyncIterable<CustomerInteractions>,
  maxItems: number,
  catalogue: Iterable<string> = [],
): Promise<IndexedInteractions> {
  const collected: Interaction[][] = [];
  const counts = new Map<string, number>();
  for await (const { interactions } of customers) {
    for (const { itemId, at } of interactions) {
      if (!Number.isFinite(at))
        throw new DomainError('INVALID_INPUT', `an interaction with ${itemId} has no time`, { path: 'at' });
      counts.set(itemId, (counts.get(itemId) ?? 0) + 1);
    }
    if (interactions.length > 0) collected.push(interactions.toSorted((a, b) => a.at - b.at));
  }
  if (counts.size === 0)
    throw new DomainError(
      'DATA_INSUFFICIENT',
      'no customer met an item; ingest interactions, views or orders',
    );
  for (const itemId of catalogue) if (!counts.has(itemId)) counts.set(itemId, 0);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const items = byCount
    .slice(0, maxItems)
    .map(([itemId]) => itemId)
    .sort();
  const indexOf = new Map(items.map((itemId, index) => [itemId, index]));
  const indexed = collected.map((interactions) => toColumns(interactions, indexOf));
  const interactionCount = indexed.reduce((sum, customer) => sum + customer.items.length, 0);
  return { items, customers: indexed, interactionCount, droppedItems: byCount.length - items.length };
}

/**
 * Puts the last ⌈share · n⌉ of each customer's n interactions into test; a customer with a single interaction keeps it in train.
 *
 * @param share  in (0, 1)
 */
export function splitLater(customers: readonly IndexedCustomer[], share: number): SplitCustomer[] {
  return customers.map((customer) => {
    const total = customer.items.length;
    const cut = total < 2 ? total : Math.max(1, total - Math.ceil(total * share));
    return { train: slice(customer, 0, cut), test: slice(customer, cut, total) };
  });
}

/**
 * Puts a random share of each customer's n interactions into test, n less the rounded rest; the order within both parts stays.
 * A customer with a single interaction keeps it in train.
 *
 * @param share  in (0, 1)
 */
export function splitRandom(
  customers: readonly IndexedCustomer[],
  share: number,
  random: Random,
): SplitCustomer[] {
  return customers.map((customer) => {
    const total = customer.items.length;
    const inTrain = Math.max(1, Math.round(total * (1 - share)));
    const train = new Set(randomPermutation(random, total).subarray(0, inTrain));
    return {
      train: keep(customer, (i) => train.has(i)),
      test: keep(customer, (i) => !train.has(i)),
    };
  });
}

/** The relevant items of a customer, oldest first. */
export function relevantItems({ items, relevant }: IndexedCustomer): Uint32Array {
  return items.filter((_, i) => relevant[i] === 1);
}

function toColumns(
  interactions: readonly Interaction[],
  indexOf: ReadonlyMap<string, number>,
): IndexedCustomer {
  const kept = interactions.filter(({ itemId }) => indexOf.has(itemId));
  return {
    items: Uint32Array.from(kept, ({ itemId }) => indexOf.get(itemId) ?? 0),
    relevant: Uint8Array.from(kept, ({ relevant }) => (relevant === false ? 0 : 1)),
    at: Float64Array.from(kept, ({ at }) => at),
  };
}

function slice({ items, relevant, at }: IndexedCustomer, from: number, to: number): IndexedCustomer {
  return {
    items: items.subarray(from, to),
    relevant: relevant.subarray(from, to),
    at: at.subarray(from, to),
  };
}

function keep({ items, relevant, at }: IndexedCustomer, isKept: (i: number) => boolean): IndexedCustomer {
  return {
    items: items.filter((_, i) => isKept(i)),
    relevant: relevant.filter((_, i) => isKept(i)),
    at: at.filter((_, i) => isKept(i)),
  };
}
