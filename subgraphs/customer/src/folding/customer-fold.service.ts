import { DomainError } from '@sextant/domain';
import { Inject, Injectable } from '@nestjs/common';
import {
  type CustomerState,
  emptyState,
  EventHistory,
  FeatureStore,
  foldEvents,
  type OnlineCustomer,
  type StoredEvent,
} from '@sextant/features';
import { CustomerRepository } from '../customers/customer.repository.js';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';

/** A customer with events that are stored and not folded yet. */
export interface FoldRequest {
  customerId: string;
  /** time of the earliest of them in milliseconds since 1970; -Infinity when it is not known */
  since: number;
  /** all of them, when they are at hand; else they are read from the store */
  events?: readonly StoredEvent[];
}

/** Customers read and written at a time. */
const CHUNK = 100;
/** Rounds of compare-and-set before contention counts as an outage. */
const MAX_ROUNDS = 10;

/**
 * Keeps online states equal to the fold of the stored events. New events that are strictly later than all folded ones
 * are folded on top; otherwise the customer is computed anew from all events. States are replaced by compare-and-set,
 * so concurrent folds, here or in another process, never lose or double an event: whoever loses starts again from what
 * the winner wrote, where an event that the winner took in is no longer later than the last one.
 */
@Injectable()
export class CustomerFold {
  constructor(
    private readonly states: FeatureStore,
    private readonly history: EventHistory,
    private readonly customers: CustomerRepository,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  /** When it returns, the online states hold every event that was stored when it was called. */
  async fold(tenantId: string, requests: readonly FoldRequest[]): Promise<void> {
    for (let start = 0; start < requests.length; start += CHUNK) {
      await this.foldChunk(tenantId, requests.slice(start, start + CHUNK));
    }
  }

  private async foldChunk(tenantId: string, requests: readonly FoldRequest[]): Promise<void> {
    let open = requests;
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
      const lost = new Set(await this.foldOnce(tenantId, open));
      open = open.filter(({ customerId }) => lost.has(customerId));
    }
    if (open.length > 0)
      throw new DomainError('STORE_UNAVAILABLE', 'too many writers of one customer; send the same again');
  }

  /** @returns ids of customers whose state changed meanwhile */
  private async foldOnce(tenantId: string, requests: readonly FoldRequest[]): Promise<string[]> {
    const online = await this.states.get(
      tenantId,
      requests.map(({ customerId }) => customerId),
    );
    const plans = requests.map((request) => planOf(request, online.get(request.customerId)));
    const toRead = plans.filter(({ events }) => !events);
    const read = await this.history.ofCustomers(
      tenantId,
      toRead.map(({ base }) => ({ customerId: base.customerId, after: base.lastAt })),
    );
    const entries = plans
      .map(({ base, revision, events }) => ({
        state: foldEvents(base, events ?? read.get(base.customerId) ?? []),
        revision,
      }))
      .filter(({ state }) => state.eventCount > 0);
    const lost = await this.states.save(tenantId, entries, this.surroundings.clock.now());
    const isLost = new Set(lost);
    const written = entries.filter(({ state }) => !isLost.has(state.customerId));
    await this.customers.project(
      tenantId,
      written.map(({ state, revision }) => ({ state, revision: revision + 1 })),
    );
    return lost;
  }
}

/** What to fold on what: `events` at hand, or, when absent, what the store holds after `base`. */
function planOf(
  { customerId, since, events }: FoldRequest,
  online: OnlineCustomer | undefined,
): { base: CustomerState; revision: number; events: readonly StoredEvent[] | undefined } {
  const revision = online?.revision ?? 0;
  const empty = emptyState(customerId);
  if (!online) return { base: empty, revision, events };
  const lastAt = online.state.lastAt ?? -Infinity;
  if (!online.isCurrent || since <= lastAt) return { base: empty, revision, events: undefined };
  return { base: online.state, revision, events };
}
