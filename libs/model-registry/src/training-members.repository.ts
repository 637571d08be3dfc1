import { createHash } from 'node:crypto';
import { Binary, type Collection, type Db } from 'mongodb';

/** Most members of one document; 48 KiB of keys. */
const MAX_IN_BUCKET = 4_096;
const KEY_BYTES = 12;
const MAX_PREFIX_DIGITS = 5;
const GRAPH_ID = /^cus_([0-9a-f]{24})$/;

interface BucketDocument {
  /** `<version>#<prefix>` */
  _id: string;
  tenantId: string;
  versionId: string;
  /** hexadecimal digits that all keys here begin with; '' where one bucket holds them all */
  prefix: string;
  /** 12 bytes each, ascending */
  keys: Binary;
}

/** Written last, so that a set that was not written whole is no set. */
interface LineageDocument {
  /** version id */
  _id: string;
  tenantId: string;
  customers: number;
  recordedAt: Date;
}

/**
 * Which customers each version learnt from, exactly: a customer's id is 96 bits, and these are kept, 12 bytes a customer and
 * version. A version's members lie in buckets by the first digits of their ids, as many as keep a bucket small, so
 * that one query reads one bucket of each version.
 */
export class TrainingMembers {
  private readonly buckets: Collection<BucketDocument>;
  private readonly lineages: Collection<LineageDocument>;

  constructor(db: Db) {
    this.buckets = db.collection('training_members');
    this.lineages = db.collection('training_lineages');
  }

  async ensureIndexes(): Promise<void> {
    await this.buckets.createIndexes([
      { key: { tenantId: 1, prefix: 1, versionId: 1 }, name: 'versions_by_member' },
      { key: { tenantId: 1, versionId: 1 }, name: 'members_of_version' },
    ]);
    await this.lineages.createIndex({ tenantId: 1 }, { name: 'all_of_tenant' });
  }

  /** Keeps a version's members; the same version again replaces what was kept. */
  async record(
    { tenantId, versionId }: { tenantId: string; versionId: string },
    customerIds: Iterable<string>,
  ): Promise<void> {
    await this.ensureIndexes();
    await this.forget(tenantId, versionId);
    const keys = [...new Set(Array.from(customerIds, keyOf))].sort();
    const digits = prefixDigits(keys.length);
    for (let start = 0; start < keys.length;) {
      const prefix = (keys[start] ?? '').slice(0, digits);
      let end = start + 1;
      while (end < keys.length && keys[end]?.startsWith(prefix)) end++;
      await this.buckets.insertOne({
        _id: `${versionId}#${prefix}`,
        tenantId,
        versionId,
        prefix,
        keys: new Binary(Buffer.from(keys.slice(start, end).join(''), 'hex')),
      });
      start = end;
    }
    await this.lineages.insertOne({
      _id: versionId,
      tenantId,
      customers: keys.length,
      recordedAt: new Date(),
    });
  }

  /** Versions that a customer was learnt from, by id; without those whose members were never recorded. */
  async versionsTrainedOn(tenantId: string, customerId: string): Promise<string[]> {
    const key = keyOf(customerId);
    const prefixes = Array.from({ length: MAX_PREFIX_DIGITS + 1 }, (_, digits) => key.slice(0, digits));
    const bytes = Buffer.from(key, 'hex');
    const versions: string[] = [];
    for await (const { versionId, keys } of this.buckets.find({ tenantId, prefix: { $in: prefixes } }))
      if (holds(keys.buffer, bytes)) versions.push(versionId);
    const counts = await this.countMany(tenantId, versions);
    return versions.filter((id) => counts.has(id)).sort();
  }

  /** How many customers each version learnt from; a version whose members were never recorded is absent. */
  async countMany(tenantId: string, versionIds: readonly string[]): Promise<Map<string, number>> {
    if (versionIds.length === 0) return new Map();
    const found = await this.lineages.find({ tenantId, _id: { $in: [...versionIds] } }).toArray();
    return new Map(found.map(({ _id, customers }) => [_id, customers]));
  }

  /** Of a version that is no more. */
  async forget(tenantId: string, versionId: string): Promise<void> {
    await this.lineages.deleteOne({ _id: versionId, tenantId });
    await this.buckets.deleteMany({ tenantId, versionId });
  }
}

/** The 24 digits of a customer's id; of a name that is no such id, as many of its hash. */
function keyOf(customerId: string): string {
  const digits = GRAPH_ID.exec(customerId)?.[1];
  return (
    digits ??
    createHash('sha256')
      .update(customerId, 'utf8')
      .digest('hex')
      .slice(0, 2 * KEY_BYTES)
  );
}

/** Ids are hashes, so that each further digit divides a bucket by sixteen. */
function prefixDigits(members: number): number {
  const wanted = Math.ceil(Math.log(Math.max(1, members / MAX_IN_BUCKET)) / Math.log(16));
  return Math.min(MAX_PREFIX_DIGITS, wanted);
}

function holds(keys: Uint8Array, wanted: Buffer): boolean {
  let [low, high] = [0, keys.length / KEY_BYTES - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = wanted.compare(keys, middle * KEY_BYTES, (middle + 1) * KEY_BYTES);
    if (order === 0) return true;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return false;
}
