import { type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import { type CustomerState, FOLD_VERSION } from './customer-state.js';
import { FEATURES_COLLECTION } from './stored-event.js';

/** One customer's state and what is needed to replace it. */
export interface OnlineCustomer {
  customerId: string;
  state: CustomerState;
  /** counts the writes; a save names the revision it was computed from */
  revision: number;
  /** false when an older fold wrote it: readable, but to be computed anew */
  isCurrent: boolean;
  updatedAt: Date;
}

interface FeatureDocument {
  _id: string;
  tenantId: string;
  revision: number;
  foldVersion: number;
  updatedAt: Date;
  state: CustomerState;
}

/** A product and how many of the sampled customers had to do with it. */
export interface PopularItem {
  productId: string;
  customers: number;
}

export interface PageOptions {
  /** customers after this id only */
  after?: string;
  /** parts of the states that the caller does not read, such as `interactions.values`, and that stay in the store */
  without?: readonly string[];
}

/** How many of the most recently changed customers popularity looks at, and how many of the newest interactions of each. */
const POPULARITY_CUSTOMERS = 500;
const POPULARITY_INTERACTIONS = 50;
const DUPLICATE_KEY = 11_000;

/** The online feature store: one document a customer, one writer (the customer subgraph), many readers. */
export class FeatureStore {
  private readonly documents: Collection<FeatureDocument>;

  constructor(db: Db) {
    this.documents = db.collection<FeatureDocument>(FEATURES_COLLECTION);
  }

  async createIndexes(): Promise<void> {
    await this.documents.createIndex({ tenantId: 1, updatedAt: -1 }, { name: 'recently_changed' });
    await this.documents.createIndex({ tenantId: 1, _id: 1 }, { name: 'all_by_id' });
  }

  /** One read for many; unknown customers, and those of other tenants, are absent. */
  async get(tenantId: string, customerIds: readonly string[]): Promise<Map<string, OnlineCustomer>> {
    const found = await this.documents.find({ tenantId, _id: { $in: [...customerIds] } }).toArray();
    return new Map(found.map((document) => [document._id, onlineOf(document)]));
  }

  count(tenantId: string): Promise<number> {
    return this.documents.countDocuments({ tenantId });
  }

  /** All customers of the tenant by id, in pages, none of them empty. Ids are hashes, so any first part is a random sample. */
  async *pages(
    tenantId: string,
    pageSize: number,
    options: PageOptions = {},
  ): AsyncGenerator<OnlineCustomer[]> {
    let after = options.after ?? '';
    const projection = Object.fromEntries(
      (options.without ?? []).map((field) => [`state.${field}`, 0 as const]),
    );
    for (;;) {
      const found = await this.documents
        .find({ tenantId, _id: { $gt: after } }, { projection, batchSize: pageSize })
        .sort({ _id: 1 })
        .limit(pageSize)
        .toArray();
      if (found.length === 0) return;
      after = found.at(-1)?._id ?? '';
      yield found.map(onlineOf);
      if (found.length < pageSize) return;
    }
  }

  /**
   * Replaces states by compare-and-set: each is written when its revision in the store is still the one given
   * (0: not there yet).
   *
   * @returns ids of the customers whose document had changed meanwhile; nothing was written for them
   */
  async save(
    tenantId: string,
    entries: readonly { state: CustomerState; revision: number }[],
    updatedAt: Date,
  ): Promise<string[]> {
    if (entries.length === 0) return [];
    const operations = entries.map(({ state, revision }) => ({
      replaceOne: {
        filter: { tenantId, _id: state.customerId, revision },
        replacement: { tenantId, revision: revision + 1, foldVersion: FOLD_VERSION, updatedAt, state },
        upsert: true, // another revision makes this an insert of an existing _id, and so an error of its own row
      },
    }));
    try {
      await this.documents.bulkWrite(operations, { ordered: false });
      return [];
    } catch (error) {
      return lostRows(error).map((row) => entries[row]?.state.customerId ?? '');
    }
  }

  /** Products by how many recently active customers had to do with them: a recommendation without a model. */
  async popularItems(tenantId: string, limit: number): Promise<PopularItem[]> {
    const recent = await this.documents
      .find({ tenantId })
      .sort({ updatedAt: -1 })
      .limit(POPULARITY_CUSTOMERS)
      .project<{ items: string[]; kinds: string }>({
        items: { $slice: ['$state.interactions.productIds', -POPULARITY_INTERACTIONS] },
        kinds: '$state.interactions.kinds',
      })
      .toArray();
    const customers = new Map<string, number>();
    for (const { items, kinds } of recent) {
      const letters = kinds.slice(-items.length);
      const relevant = new Set(items.filter((_, i) => letters[i] !== 'n'));
      for (const item of relevant) customers.set(item, (customers.get(item) ?? 0) + 1);
    }
    return [...customers]
      .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([productId, count]) => ({ productId, customers: count }));
  }
}

function onlineOf({ _id, state, revision, foldVersion, updatedAt }: FeatureDocument): OnlineCustomer {
  if (state) state.consents ??= {}; // a fold before version 4 knew of none
  return { customerId: _id, state, revision, isCurrent: foldVersion === FOLD_VERSION, updatedAt };
}

/** Row numbers that failed only because the key was there already; any other failure is thrown on. */
function lostRows(error: unknown): number[] {
  if (!(error instanceof MongoBulkWriteError) || error.err) throw error;
  const rows = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  if (rows.length === 0 || rows.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
  return rows.map(({ index }) => index);
}
