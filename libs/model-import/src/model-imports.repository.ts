import { createHash, randomUUID } from 'node:crypto';
import { type Clock, DomainError, type ErrorCode, systemClock } from '@sextant/domain';
import { type Collection, type Db, MongoServerError } from 'mongodb';
import type { ImportCheck } from './import-check.js';
import type { ImportOrder } from './import-order.js';

export type ImportState = 'RUNNING' | 'SUCCEEDED' | 'REFUSED' | 'FAILED';

/** One asked-for import and what came of it. */
export interface ModelImport {
  id: string;
  tenantId: string;
  state: ImportState;
  /** made so far; all of them once it is no longer RUNNING */
  checks: ImportCheck[];
  /** `<model>@<version>` once SUCCEEDED */
  versionId: string | null;
  /** why it FAILED, which is no fault of the file */
  failure: { code: ErrorCode; message: string } | null;
  startedAt: Date;
}

interface ImportDocument extends Omit<ModelImport, 'id'> {
  _id: string;
  idempotencyKey: string;
  requestHash: string;
  /** who works on it says so until then */
  leaseUntil: Date;
  token: string;
}

export interface ImportClaim {
  id: string;
  token: string;
}

/** Well above the time limit of a trial and of a download. */
const LEASE_MS = 5 * 60_000;
const KEPT_SECONDS = 90 * 24 * 60 * 60;
const DUPLICATE_KEY = 11_000;

/** Imports by idempotency key: one that is asked for again is not made again. */
export class ModelImports {
  private readonly imports: Collection<ImportDocument>;

  constructor(
    db: Db,
    private readonly clock: Clock = systemClock,
  ) {
    this.imports = db.collection('model_imports');
  }

  async ensureIndexes(): Promise<void> {
    await this.imports.createIndexes([
      { key: { tenantId: 1, idempotencyKey: 1 }, name: 'one_import_by_key', unique: true },
      { key: { startedAt: 1 }, name: 'expire_after_90_days', expireAfterSeconds: KEPT_SECONDS },
    ]);
  }

  /**
   * Takes an import up, unless it was made or is being made.
   *
   * @returns `claim` for whoever has to make it; null where it is made elsewhere or done
   * @throws DomainError IDEMPOTENCY_CONFLICT when the key was used for another file, mapping or sample
   */
  async begin(
    order: ImportOrder,
    idempotencyKey: string,
  ): Promise<{ id: string; claim: ImportClaim | null }> {
    const { tenantId } = order;
    const requestHash = createHash('sha256')
      .update(JSON.stringify({ ...order, source: null }))
      .digest('hex');
    const fresh = this.running(randomUUID());
    try {
      const id = `import_${randomUUID()}`;
      await this.imports.insertOne({ _id: id, tenantId, idempotencyKey, requestHash, ...fresh });
      return { id, claim: { id, token: fresh.token } };
    } catch (error) {
      if (!(error instanceof MongoServerError && error.code === DUPLICATE_KEY)) throw error;
    }
    const before = await this.imports.findOne({ tenantId, idempotencyKey });
    if (before && before.requestHash !== requestHash) {
      throw new DomainError(
        'IDEMPOTENCY_CONFLICT',
        'this idempotency key was used for another import; use a new one',
        {
          path: 'idempotencyKey',
        },
      );
    }
    if (!before) throw new DomainError('STORE_UNAVAILABLE', 'the import could not be recorded; try again');
    const claim = await this.takeOver(before);
    return { id: before._id, claim };
  }

  async find(tenantId: string, id: string): Promise<ModelImport | null> {
    const found = await this.imports.findOne({ tenantId, _id: id });
    return found ? toImport(found, this.clock.now()) : null;
  }

  /** Writes what came of it; of somebody else's import nothing. */
  async finish(
    { id, token }: ImportClaim,
    end: Partial<Omit<ModelImport, 'id' | 'tenantId'>>,
  ): Promise<void> {
    await this.imports.updateOne({ _id: id, token, state: 'RUNNING' }, { $set: end });
  }

  /** What FAILED for reasons other than the file is made again, and so is what its process left behind. */
  private async takeOver({ _id, tenantId }: ImportDocument): Promise<ImportClaim | null> {
    const fresh = this.running(randomUUID());
    const taken = await this.imports.updateOne(
      {
        _id,
        tenantId,
        $or: [{ state: 'FAILED' }, { state: 'RUNNING', leaseUntil: { $lt: this.clock.now() } }],
      },
      { $set: fresh },
    );
    return taken.matchedCount === 1 ? { id: _id, token: fresh.token } : null;
  }

  private running(token: string) {
    const now = this.clock.now();
    return {
      state: 'RUNNING' as const,
      checks: [],
      versionId: null,
      failure: null,
      startedAt: now,
      leaseUntil: new Date(now.getTime() + LEASE_MS),
      token,
    };
  }
}

function toImport(
  { _id, idempotencyKey: _key, requestHash: _hash, leaseUntil, token: _token, ...rest }: ImportDocument,
  now: Date,
): ModelImport {
  if (rest.state !== 'RUNNING' || leaseUntil >= now) return { id: _id, ...rest };
  const message = 'the process that made this import is gone; import again with the same idempotency key';
  return { id: _id, ...rest, state: 'FAILED', failure: { code: 'IMPORT_LOST', message } };
}
