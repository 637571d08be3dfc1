import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  CONSENT_EVENT_TYPE,
  eventIdOf,
  eventKey,
  EventHistory,
  EVENTS_COLLECTION,
  type StoredEvent,
} from '@sextant/features';
import { type Collection, Db, type Filter } from 'mongodb';
import { DATABASE, duplicateRows } from '../store.js';

/** An event as the graph shows it. */
export interface CustomerEvent {
  id: string;
  type: string;
  at: Date;
  properties: Readonly<Record<string, unknown>>;
  source: string | null;
}

export interface EventQuery {
  types: readonly string[] | null;
  since: Date | null;
  /** the last event of the page before: its time in milliseconds and its id */
  after: { atMs: number; id: string } | null;
  limit: number;
}

/** Rows whose ids are asked for to see whether a batch was sent before. */
const REPLAY_PROBES = 3;
/** Smaller batches are cheaper to insert than to ask about. */
const REPLAY_MIN_ROWS = 100;

/** The append-only events, through the native driver. */
@Injectable()
export class EventRepository implements OnModuleInit {
  private readonly events: Collection<StoredEvent>;
  private readonly history: EventHistory;

  constructor(@Inject(DATABASE) db: Db) {
    this.events = db.collection<StoredEvent>(EVENTS_COLLECTION);
    this.history = new EventHistory(db);
  }

  async onModuleInit(): Promise<void> {
    await this.history.createIndexes();
  }

  /**
   * Keys of the rows that are stored already, if the batch looks like a replay; a few rows are asked for first, since
   * meeting the unique index costs the store 2.5 times a fresh insert.
   */
  async findReplayed(documents: readonly StoredEvent[]): Promise<ReadonlySet<string>> {
    if (documents.length < REPLAY_MIN_ROWS) return new Set();
    const step = Math.max(1, Math.floor((documents.length - 1) / (REPLAY_PROBES - 1)));
    const probes = documents.filter((_, i) => i % step === 0);
    if ((await this.existing(probes)).size === 0) return new Set();
    return this.existing(documents);
  }

  /**
   * Inserts durably (majority, journal) and in no order; a key that is there already is left as it is.
   *
   * @returns the rows that were inserted
   */
  async insertNew(documents: readonly StoredEvent[]): Promise<readonly StoredEvent[]> {
    if (documents.length === 0) return [];
    try {
      await this.events.insertMany(documents, {
        ordered: false,
        writeConcern: { w: 'majority', journal: true },
      });
      return documents;
    } catch (error) {
      const duplicates = new Set(duplicateRows(error));
      return documents.filter((_, row) => !duplicates.has(row));
    }
  }

  async findByIds(tenantId: string, ids: readonly string[]): Promise<StoredEvent[]> {
    const keys = ids.map((id) => eventKey(tenantId, id));
    return this.events.find({ tenantId, _id: { $in: keys } }).toArray();
  }

  /** When a customer last said something about a purpose, milliseconds since 1970; null where they never did. */
  async lastConsentAt(tenantId: string, customerId: string, purpose: string): Promise<number | null> {
    const [last] = await this.events
      .find({ tenantId, type: CONSENT_EVENT_TYPE, 'properties.purpose': purpose, customerId })
      .sort({ at: -1 })
      .limit(1)
      .project<{ at: Date }>({ at: 1 })
      .toArray();
    return last?.at.getTime() ?? null;
  }

  /** Events of one customer, newest first, one row more than `limit` when there is more. */
  async listOfCustomer(tenantId: string, customerId: string, query: EventQuery): Promise<CustomerEvent[]> {
    const { types, since, after, limit } = query;
    const at = { ...(since && { $gte: since }), ...(after && { $lte: new Date(after.atMs) }) };
    const filter: Filter<StoredEvent> = {
      tenantId,
      customerId,
      ...(Object.keys(at).length > 0 && { at }),
      ...(types && { type: { $in: [...types] } }),
      ...(after && {
        $or: [{ at: { $lt: new Date(after.atMs) } }, { _id: { $lt: eventKey(tenantId, after.id) } }],
      }),
    };
    const rows = await this.events
      .find(filter)
      .sort({ at: -1, _id: -1 })
      .limit(limit + 1)
      .toArray();
    return rows.map((row) => {
      const { type, properties, source = null } = row;
      return { id: eventIdOf(row), type, at: row.at, properties, source };
    });
  }

  private async existing(documents: readonly StoredEvent[]): Promise<Set<string>> {
    const keys = documents.map(({ _id }) => _id);
    const found = await this.events.find({ _id: { $in: keys } }, { projection: { _id: 1 } }).toArray();
    return new Set(found.map(({ _id }) => _id));
  }
}
