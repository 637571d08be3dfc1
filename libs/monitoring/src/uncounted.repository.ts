import type { Collection, Db } from 'mongodb';

/** A version that workers serve and do not count. */
export interface UncountedVersion {
  tenantId: string;
  model: string;
  version: number;
  /** an English sentence */
  reason: string;
}

type UncountedDocument = UncountedVersion & { _id: string; seenAt: Date };

const KEPT_HOURS = 24;

/** Why versions are not watched, as the workers that serve them said within the last day. */
export class UncountedVersions {
  private readonly versions: Collection<UncountedDocument>;

  constructor(db: Db) {
    this.versions = db.collection('monitoring_uncounted');
  }

  async ensureIndexes(): Promise<void> {
    await this.versions.createIndexes([
      { key: { seenAt: 1 }, name: 'expire_after_24_hours', expireAfterSeconds: KEPT_HOURS * 60 * 60 },
    ]);
  }

  /** @param seenAt  now */
  async record(seen: readonly UncountedVersion[], seenAt: Date): Promise<void> {
    if (seen.length === 0) return;
    await this.versions.bulkWrite(
      seen.map(({ tenantId, model, version, reason }) => ({
        updateOne: {
          filter: { _id: `${model}@${version}`, tenantId },
          update: { $set: { model, version, reason, seenAt } },
          upsert: true,
        },
      })),
      { ordered: false },
    );
  }

  /** Null where no worker said so. */
  async findReason(tenantId: string, model: string, version: number): Promise<string | null> {
    const found = await this.versions.findOne({ _id: `${model}@${version}`, tenantId });
    return found?.reason ?? null;
  }
}
