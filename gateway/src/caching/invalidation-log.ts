import { type Collection, type Db, MongoServerError } from 'mongodb';

/** What a gateway tells the others: nothing older of these types of the tenant holds. */
export interface ToldInvalidation {
  tenantId: string;
  types: readonly string[];
  /** which gateway tells it */
  gateway: string;
}

const COLLECTION = 'cache_invalidations';
/** About 6,000 of them; a gateway that falls behind further forgets all that it keeps. */
const CAPPED_BYTES = 1024 * 1024;
const NAMESPACE_EXISTS = 48;

/**
 * What gateways tell each other, in a capped collection: small for ever, and its readers wake only when something is written here. A
 * change stream would look at every write of the store for them.
 */
export class InvalidationLog {
  private readonly told: Collection<ToldInvalidation>;

  /** @param options.awaitMs  how long the store holds a read open while nothing comes; below the time-out of sockets */
  constructor(
    private readonly db: Db,
    private readonly options: { awaitMs: number },
  ) {
    this.told = db.collection<ToldInvalidation>(COLLECTION);
  }

  async ensureCollection(): Promise<void> {
    try {
      await this.db.createCollection(COLLECTION, { capped: true, size: CAPPED_BYTES });
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
    }
  }

  /** What the primary has is enough: when it loses writes, it also loses its readers, and they forget everything. */
  async write(told: readonly ToldInvalidation[]): Promise<void> {
    const documents = told.map(({ tenantId, types, gateway }) => ({ tenantId, types, gateway }));
    await this.told.insertMany(documents, { writeConcern: { w: 1 } });
  }

  /** All that the collection holds, then whatever comes, of all tenants; ends when the place is lost. */
  async *read(signal: AbortSignal): AsyncGenerator<ToldInvalidation, void, void> {
    const cursor = this.told.find(
      {},
      {
        ...{ tailable: true, awaitData: true, maxAwaitTimeMS: this.options.awaitMs, signal },
        ...{ readPreference: 'primary', readConcern: { level: 'local' }, projection: { _id: 0 } },
      },
    );
    try {
      yield* cursor;
    } finally {
      await cursor.close().catch(() => undefined);
    }
  }
}
