import type { Collection, Db, Filter } from 'mongodb';
import type { EventDigest } from './event-digest.js';
import { DAY_MS } from './decayed-counter.js';
import { compareEvents, CONSENT_EVENT_TYPE, EVENTS_COLLECTION, type StoredEvent } from './stored-event.js';

/** One customer's events in the order of the fold. */
export interface CustomerEvents {
  customerId: string;
  events: StoredEvent[];
}

export interface HistoryOptions {
  /** only events at or after it */
  from?: Date;
  /** only events strictly before it */
  until?: Date;
  /** false for customers whose events are passed over; asked once for each event, and for none of the company's own */
  includes?: (customerId: string) => boolean;
  /** told of every row that is handed out */
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

  /** One index besides `_id` holds every event; the other one the few about consent. Made by the writer of the collection. */
  async createIndexes(): Promise<void> {
    await this.events.createIndexes([
      { key: { tenantId: 1, customerId: 1, at: 1, _id: 1 }, name: 'history_of_customer' },
      {
        key: { tenantId: 1, 'properties.purpose': 1, customerId: 1, at: 1 },
        name: 'consents_by_purpose',
        partialFilterExpression: { type: CONSENT_EVENT_TYPE },
      },
    ]);
  }

  /** Every customer with their events, ordered by customer id. */
  async *customers(tenantId: string, options: HistoryOptions = {}): AsyncIterable<CustomerEvents> {
    const filter: Filter<StoredEvent> = { tenantId, customerId: { $gt: '' }, ...during(options) };
    let events: StoredEvent[] = [];
    for await (const event of this.stream(filter, options)) {
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
      ...during(options),
    };
    return this.stream(filter, options);
  }

  /** Events of some types, of customers and of the company, ordered by customer and time. */
  ofTypes(
    tenantId: string,
    types: readonly string[],
    options: HistoryOptions = {},
  ): AsyncIterable<StoredEvent> {
    return this.stream({ tenantId, type: { $in: [...types] }, ...during(options) }, options);
  }

  /**
   * Up to when customers' events are there: the newest one, or, where up to a thousandth of them are strays of later days, the
   * end of the day before those. Null without any event. What was said about consent is no event of a customer's history.
   */
  async endOfCustomers(tenantId: string, options: { until: Date }): Promise<Date | null> {
    const ofCustomers = { tenantId, customerId: { $gt: '' }, ...during(options) };
    const [all, consents] = await Promise.all([
      this.countByDay(ofCustomers, 'history_of_customer'),
      this.countByDay({ ...ofCustomers, type: CONSENT_EVENT_TYPE }),
    ]);
    const consentsOf = new Map(consents.map(({ _id, events }) => [_id.getTime(), events]));
    const days = all
      .map(({ _id, events, newest }) => {
        const said = consentsOf.get(_id.getTime()) ?? 0;
        return { start: _id, events: events - said, newest: said === 0 ? newest : null };
      })
      .filter(({ events }) => events > 0);
    let strays = STRAY_SHARE * days.reduce((sum, { events }) => sum + events, 0);
    const last = days.findIndex(({ events }) => (strays -= events) < 0);
    const day = days[last];
    if (!day) return null;
    const end = new Date(day.start.getTime() + DAY_MS);
    if (last > 0) return end;
    const until = end < options.until ? end : options.until;
    return day.newest ?? this.newestIn(tenantId, { from: day.start, until });
  }

  async count(tenantId: string, options: { until?: Date } = {}): Promise<number> {
    return this.events.countDocuments({ tenantId, ...during(options) });
  }

  /** Newest day first; without a filter on the type it is answered from the index alone. */
  private countByDay(
    filter: Filter<StoredEvent>,
    hint?: string,
  ): Promise<{ _id: Date; events: number; newest: Date }[]> {
    const byDay = {
      _id: { $dateTrunc: { date: '$at', unit: 'day' } },
      events: { $sum: 1 },
      newest: { $max: '$at' },
    };
    return this.events
      .aggregate<{ _id: Date; events: number; newest: Date }>(
        [{ $match: filter }, { $group: byDay }, { $sort: { _id: -1 } }],
        hint === undefined ? {} : { hint },
      )
      .toArray();
  }

  private async newestIn(tenantId: string, period: { from: Date; until: Date }): Promise<Date | null> {
    const [newest] = await this.events
      .aggregate<{ at: Date }>(
        [
          {
            $match: {
              tenantId,
              customerId: { $gt: '' },
              type: { $ne: CONSENT_EVENT_TYPE },
              ...during(period),
            },
          },
          { $group: { _id: null, at: { $max: '$at' } } },
        ],
        { hint: 'history_of_customer' },
      )
      .toArray();
    return newest?.at ?? null;
  }

  private async *stream(
    filter: Filter<StoredEvent>,
    { includes, digest }: HistoryOptions,
  ): AsyncGenerator<StoredEvent> {
    const cursor = this.events
      .find(filter, { batchSize: BATCH_SIZE, hint: 'history_of_customer' })
      .sort({ tenantId: 1, customerId: 1, at: 1, _id: 1 });
    for await (const event of cursor) {
      if (includes && event.customerId !== undefined && !includes(event.customerId)) continue;
      digest?.add(event);
      yield event;
    }
  }
}

function during({ from, until }: Pick<HistoryOptions, 'from' | 'until'>): Filter<StoredEvent> {
  return from || until ? { at: { ...(from && { $gte: from }), ...(until && { $lt: until }) } } : {};
}

function inOrder(events: StoredEvent[]): CustomerEvents {
  return { customerId: events[0]?.customerId ?? '', events: events.sort(compareEvents) };
}
