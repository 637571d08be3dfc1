import { DomainError } from '@sextant/domain';
import type { Collection, Db } from 'mongodb';
import { type AccessKey, digestOf, newPresentedKey, textOf } from './access-key.js';

interface KeyDocument extends Omit<AccessKey, 'id'> {
  _id: string;
  digest: string;
  idempotencyKey?: string;
}

interface UseDocument {
  _id: string;
  tenantId: string;
  /** UTC, `yyyy-MM-dd` */
  day: string;
}

export type NewAccessKey = Omit<AccessKey, 'id' | 'tenantId' | 'revokedAt'>;

/** A key with the day on which it was used last, UTC; null: never. */
export type ListedAccessKey = AccessKey & { lastUsedOn: string | null };

const DUPLICATE_KEY = 11_000;

/** The keys of all tenants. The customer subgraph writes keys, gateways write when they were used. */
export class AccessKeyRepository {
  private readonly keys: Collection<KeyDocument>;
  private readonly uses: Collection<UseDocument>;

  constructor(db: Db) {
    this.keys = db.collection('access_keys');
    this.uses = db.collection('access_key_uses');
  }

  async ensureIndexes(): Promise<void> {
    await this.keys.createIndexes([
      { key: { tenantId: 1, _id: 1 }, name: 'by_tenant' },
      {
        key: { tenantId: 1, idempotencyKey: 1 },
        name: 'once_by_idempotency_key',
        unique: true,
        partialFilterExpression: { idempotencyKey: { $exists: true } },
      },
    ]);
  }

  /**
   * @returns the key, and its text, which nobody can tell again
   * @throws DomainError IDEMPOTENCY_CONFLICT when a key was created under the idempotency key before
   */
  async create(
    tenantId: string,
    key: NewAccessKey,
    idempotencyKey: string | null = null,
  ): Promise<{ key: AccessKey; text: string }> {
    const presented = newPresentedKey(tenantId);
    const stored = { ...key, _id: presented.id, tenantId, revokedAt: null };
    try {
      await this.keys.insertOne({
        ...stored,
        digest: digestOf(presented),
        ...(idempotencyKey !== null && { idempotencyKey }),
      });
    } catch (error) {
      if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
      throw new DomainError(
        'IDEMPOTENCY_CONFLICT',
        'a key was created under this idempotency key, and its secret is told once: revoke it and use a new one',
        { path: 'idempotencyKey' },
      );
    }
    return { key: { ...key, id: presented.id, tenantId, revokedAt: null }, text: textOf(presented) };
  }

  /** Ends a key; one that was ended before keeps its time. Null for one that the tenant does not have. */
  async revoke(tenantId: string, id: string, at: Date): Promise<AccessKey | null> {
    await this.keys.updateOne({ tenantId, _id: id, revokedAt: null }, { $set: { revokedAt: at } });
    const found = await this.keys.findOne({ tenantId, _id: id });
    return found && toKey(found);
  }

  /** With the digest of its secret. */
  async find(tenantId: string, id: string): Promise<(AccessKey & { digest: string }) | null> {
    const found = await this.keys.findOne({ tenantId, _id: id });
    return found && { ...toKey(found), digest: found.digest };
  }

  /** In order of id. @param page.after  only ids beyond it */
  async list(tenantId: string, page: { after: string | null; limit: number }): Promise<ListedAccessKey[]> {
    const found = await this.keys
      .find({ tenantId, ...(page.after !== null && { _id: { $gt: page.after } }) })
      .sort({ _id: 1 })
      .limit(page.limit)
      .toArray();
    const uses = await this.uses.find({ tenantId, _id: { $in: found.map(({ _id }) => _id) } }).toArray();
    const days = new Map(uses.map(({ _id, day }) => [_id, day]));
    return found.map((key) => ({ ...toKey(key), lastUsedOn: days.get(key._id) ?? null }));
  }

  async noteUse(tenantId: string, id: string, day: string): Promise<void> {
    await this.uses.updateOne({ _id: id, tenantId }, { $max: { day } }, { upsert: true });
  }
}

function toKey({ _id, digest: _digest, idempotencyKey: _key, ...rest }: KeyDocument): AccessKey {
  return { id: _id, ...rest };
}
