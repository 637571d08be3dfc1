import type { Collection, Db, Filter } from 'mongodb';
import type { EventDigest } from './event-digest.js';
import { DAY_MS } from './decayed-counter.js';
import { compareEvents, EVENTS_COLLECTION, type StoredEvent } from './stored-event.js';

/** One customer's events in the order of the fold. */
export interface CustomerEvents {
  customerId: string;
  events: StoredEvent[];
}

export interface HistoryOptions {
  /** only events strictly before it */
  until?: Date;
  /** told of every row that is read */
  digest?: EventDigest;
}

/** Rows fetched from the store at a time. */
const BATCH_SIZE = 2_000;
/** Events of a few customers that came long after all others do not move the end of the history. */
const STRAY_SHARE = 0.001;

/** The events of a tenant, read-only and streamed along the index; one customer's events are in memory at a time. */
export class EventHistory {
  private readonly events: Collection<StoredEvent>;

  constructor(db: Db) {
    this.events = db.collection<StoredEvent>(EVENTS_COLLECTION);
  }

  /** The one index besides `_id`. Made by the writer of the collection. */
  async createIndexes(): Promise<void> {
    await this.events.createIndex(
      { tenantId: 1, customerId: 1, at: 1, _id: 1 },
      { name: 'history_of_customer' },
    );
  }

  /** Every customer with their events, ordered by customer id. */
  async *customers(tenantId: string, options: HistoryOptions = {}): AsyncIterable<CustomerEvents> {
    const filter: Filter<StoredEvent> = { tenantId, customerId: { $gt: '' }, ...before(options.until) };
    let events: StoredEvent[] = [];
    for await (const event of this.stream(filter, options.digest)) {
      if (events.length > 0 && events[0]?.customerId !== event.customerId) {
        yield inOrder(events);
        events = [];
      }
      events.push(event);
    }
    if (events.length > 0) yield inOrder(events);
  }

  /**
   * Events of some customers, each customer's in the order of the fold; customers without any are left out.
   *
   * @param customers  `after`: only events strictly later, in milliseconds since 1970; null for all
   */
  async ofCustomers(
    tenantId: string,
    customers: readonly { customerId: string; after: number | null }[],
  ): Promise<Map<string, StoredEvent[]>> {
    if (customers.length === 0) return new Map();
    const ranges = customers.map(({ customerId, after }) => ({
      tenantId,
      customerId,
      ...(after !== null && { at: { $gt: new Date(after) } }),
    }));
    const found = await this.events.find({ $or: ranges }, { batchSize: BATCH_SIZE }).toArray();
    const groups = Map.groupBy(found, ({ customerId = '' }) => customerId);
    for (const events of groups.values()) events.sort(compareEvents);
    return groups;
  }

  /** Events of the company itself (without a customer), by time. */
  companyEvents(
    tenantId: string,
    types: readonly string[],
    options: HistoryOptions = {},
  ): AsyncIterable<StoredEvent> {
    const filter = {
      tenantId,
      customerId: { $exists: false },
      type: { $in: [...types] },
      ...before(options.until),
    };
    return this.stream(filter, options.digest);
  }

  /** Events of some types, of customers and of the company, ordered by customer and time. */
  ofTypes(
    tenantId: string,
    types: readonly string[],
    options: HistoryOptions = {},
  ): AsyncIterable<StoredEvent> {
    return this.stream({ tenantId, type: { $in: [...types] }, ...before(options.until) }, options.digest);
  }

  /**
   * Up to when customers' events are there: the newest one, or, where up to a thousandth of them are strays of later days, the
   * end of the day before those. Null without any event.
   */
  async endOfCustomers(tenantId: string, options: { until: Date }): Promise<Date | null> {
    const days = await this.events
      .aggregate<{ _id: Date; events: number; newest: Date }>(
        [
          { $match: { tenantId, customerId: { $gt: '' }, ...before(options.until) } },
          {
            $group: {
              _id: { $dateTrunc: { date: '$at', unit: 'day' } },
              events: { $sum: 1 },
              newest: { $max: '$at' },
            },
          },
          { $sort: { _id: -1 } },
        ],
        { hint: 'history_of_customer' },
      )
      .toArray();
    let strays = STRAY_SHARE * days.reduce((sum, { events }) => sum + events, 0);
    const last = days.findIndex(({ events }) => (strays -= events) < 0);
    const day = days[last];
    if (!day) return null;
    return last === 0 ? day.newest : new Date(day._id.getTime() + DAY_MS);
  }

  async count(tenantId: string, options: { until?: Date } = {}): Promise<number> {
    return this.events.countDocuments({ tenantId, ...before(options.until) });
  }

  private async *stream(filter: Filter<StoredEvent>, digest?: EventDigest): AsyncGenerator<StoredEvent> {
    const cursor = this.events
      .find(filter, { batchSize: BATCH_SIZE, hint: 'history_of_customer' })
      .sort({ tenantId: 1, customerId: 1, at: 1, _id: 1 });
    for await (const event of cursor) {
      digest?.add(event);
      yield event;
    }
  }
}

function before(until: Date | undefined): Filter<StoredEvent> {
  return until ? { at: { $lt: until } } : {};
}

function inOrder(events: StoredEvent[]): CustomerEvents {
  return { customerId: events[0]?.customerId ?? '', events: events.sort(compareEvents) };
}
