import { type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import { anchorMacOf, type AuditEntry, type ChainHead, GENESIS } from './audit-entry.js';

interface AnchorDocument extends ChainHead {
  _id: string;
  tenantId: string;
  mac: string;
  at: Date;
}

/** A mutation as it is read back. */
export interface AuditRecord {
  /** the INTENT or REFUSAL */
  entry: Extract<AuditEntry, { kind: 'INTENT' | 'REFUSAL' }>;
  /** null: not finished, or the process died on the way, so that nobody knows */
  outcome: Extract<AuditEntry, { kind: 'OUTCOME' }> | null;
}

const DUPLICATE_KEY = 11_000;
const DURABLE = { writeConcern: { w: 'majority', journal: true }, readConcern: 'majority' } as const;

/** The chains of all tenants, one document an entry, and the anchor of each. */
export class AuditChains {
  private readonly entries: Collection<AuditEntry>;
  private readonly anchors: Collection<AnchorDocument>;

  private indexes: Promise<void> | null = null;

  constructor(db: Db) {
    this.entries = db.collection<AuditEntry>('audit_log', DURABLE);
    this.anchors = db.collection<AnchorDocument>('audit_anchors', DURABLE);
  }

  async ensureIndexes(): Promise<void> {
    await this.entries.createIndexes([
      { key: { tenantId: 1, seq: 1 }, name: 'one_chain_by_tenant', unique: true },
      {
        key: { tenantId: 1, 'what.of': 1 },
        name: 'outcome_of_intent',
        partialFilterExpression: { kind: 'OUTCOME' },
      },
    ]);
  }

  /** Numbers must be unique before the first one is given. */
  private indexed(): Promise<void> {
    this.indexes ??= this.ensureIndexes().catch((error: unknown) => {
      this.indexes = null;
      throw error;
    });
    return this.indexes;
  }

  /** The newest entry that will stay, whatever becomes of the primary. */
  async head(tenantId: string): Promise<ChainHead> {
    const newest = await this.entries.findOne(
      { tenantId },
      { sort: { seq: -1 }, projection: { seq: 1, hash: 1 } },
    );
    return newest ? { seq: newest.seq, hash: newest.hash } : GENESIS;
  }

  /** Adds entries in order. @returns how many were added before another process had taken the next number */
  async append(entries: readonly AuditEntry[]): Promise<number> {
    await this.indexed();
    try {
      await this.entries.insertMany(
        entries.map((entry) => ({ ...entry })),
        { ordered: true },
      );
      return entries.length;
    } catch (error) {
      const taken = takenAt(error);
      if (taken === null) throw error;
      return taken;
    }
  }

  /** Keeps how long a chain is, beside it; a shorter one is ignored. */
  async anchor(tenantId: string, head: ChainHead, signing: { secret: string; at: Date }): Promise<void> {
    const mac = anchorMacOf(tenantId, head, signing.secret);
    try {
      await this.anchors.updateOne(
        { _id: tenantId, tenantId, seq: { $lt: head.seq } },
        { $set: { ...head, mac, at: signing.at } },
        { upsert: true },
      );
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
    }
  }

  async findAnchor(tenantId: string): Promise<(ChainHead & { mac: string }) | null> {
    const found = await this.anchors.findOne({ tenantId });
    return found && { seq: found.seq, hash: found.hash, mac: found.mac };
  }

  async tenants(): Promise<string[]> {
    const [withEntries, withAnchors] = await Promise.all([
      this.entries.distinct('tenantId'),
      this.anchors.distinct('tenantId'),
    ]);
    return [...new Set([...withEntries, ...withAnchors])].sort();
  }

  /** All entries of a chain in order. */
  async *walk(tenantId: string): AsyncGenerator<AuditEntry> {
    const cursor = this.entries
      .find({ tenantId }, { projection: { _id: 0 } })
      .sort({ seq: 1 })
      .batchSize(1_000);
    try {
      yield* cursor as AsyncIterable<AuditEntry>;
    } finally {
      await cursor.close();
    }
  }

  /** Mutations, newest first. @param page.before  only entries with smaller numbers */
  async list(tenantId: string, page: { before: number | null; first: number }): Promise<AuditRecord[]> {
    const found = await this.entries
      .find({
        tenantId,
        kind: { $in: ['INTENT', 'REFUSAL'] },
        ...(page.before !== null && { seq: { $lt: page.before } }),
      })
      .sort({ seq: -1 })
      .limit(page.first)
      .toArray();
    const outcomes = await this.entries
      .find({ tenantId, kind: 'OUTCOME', 'what.of': { $in: found.map(({ seq }) => seq) } })
      .toArray();
    const bySeq = new Map(
      outcomes.flatMap((outcome) => (outcome.kind === 'OUTCOME' ? [[outcome.what.of, outcome]] : [])),
    );
    return found.flatMap((entry) =>
      entry.kind === 'OUTCOME' ? [] : [{ entry, outcome: bySeq.get(entry.seq) ?? null }],
    );
  }
}

/** At which row an ordered insert met a number that was taken; null for every other failure. */
function takenAt(error: unknown): number | null {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return null;
  const [first] = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return first?.code === DUPLICATE_KEY ? first.index : null;
}
