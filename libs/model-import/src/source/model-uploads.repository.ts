import { createHash, randomUUID } from 'node:crypto';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import { Binary, type Collection, type Db, MongoServerError } from 'mongodb';

/** Bytes of each part but the last: as base64 it stays below what a request may have. */
export const PART_BYTES = 4 * 1024 * 1024;
/** How long an upload may take and be used. */
const LIFETIME_MS = 60 * 60_000;
/** Uploads of one tenant at a time. */
const MAX_OPEN = 4;
const DUPLICATE_KEY = 11_000;

/** A file on its way here, in parts. */
export interface ModelUpload {
  id: string;
  /** bytes of the whole file */
  bytes: number;
  partBytes: number;
  parts: number;
  /** numbers of the parts that are here, ascending */
  received: number[];
  expiresAt: Date;
}

interface UploadDocument {
  _id: string;
  tenantId: string;
  bytes: number;
  expiresAt: Date;
  idempotencyKey?: string;
}

interface PartDocument {
  _id: string;
  tenantId: string;
  uploadId: string;
  part: number;
  sha256: string;
  data: Binary;
  expiresAt: Date;
}

/** Parts of files that clients send; whoever sends a part again changes nothing, and what is not used is gone after an hour. */
export class ModelUploads {
  private readonly uploads: Collection<UploadDocument>;
  private readonly parts: Collection<PartDocument>;

  constructor(
    db: Db,
    private readonly maxBytes: number,
    private readonly clock: Clock = systemClock,
  ) {
    this.uploads = db.collection('model_uploads');
    this.parts = db.collection('model_upload_parts');
  }

  async ensureIndexes(): Promise<void> {
    await Promise.all([
      this.uploads.createIndexes([
        { key: { tenantId: 1, expiresAt: 1 }, name: 'open_by_tenant' },
        { key: { expiresAt: 1 }, name: 'expire_uploads', expireAfterSeconds: 0 },
        {
          key: { tenantId: 1, idempotencyKey: 1 },
          name: 'one_by_idempotency_key',
          unique: true,
          partialFilterExpression: { idempotencyKey: { $exists: true } },
        },
      ]),
      this.parts.createIndexes([
        { key: { tenantId: 1, uploadId: 1, part: 1 }, name: 'parts_in_order', unique: true },
        { key: { expiresAt: 1 }, name: 'expire_parts', expireAfterSeconds: 0 },
      ]),
    ]);
  }

  /**
   * @param idempotencyKey  of an upload that is open: that one
   * @throws DomainError INVALID_INPUT beyond the largest size, UPLOAD_LIMIT_REACHED with too many of the tenant's open,
   *         IDEMPOTENCY_CONFLICT when the key was used for a file of another size
   */
  async begin(tenantId: string, bytes: number, idempotencyKey: string | null = null): Promise<ModelUpload> {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > this.maxBytes) {
      const message = `bytes must be an integer between 1 and ${this.maxBytes}, got ${bytes}`;
      throw new DomainError('INVALID_INPUT', message, { path: 'input.bytes' });
    }
    const now = this.clock.now();
    const key = idempotencyKey === null ? {} : { idempotencyKey };
    const upload = {
      ...{ _id: randomUUID(), tenantId, bytes, ...key },
      expiresAt: new Date(now.getTime() + LIFETIME_MS),
    };
    const earlier = await this.findByKey(upload, now);
    if (earlier) return this.described(earlier);
    await this.checkRoom(tenantId, now);
    try {
      await this.uploads.insertOne(upload);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const meanwhile = await this.findByKey(upload, now);
      if (!meanwhile) throw error;
      return this.described(meanwhile);
    }
    return this.described(upload);
  }

  /** The open one of the same key; one that has expired gives its key back. @throws DomainError IDEMPOTENCY_CONFLICT */
  private async findByKey(
    { tenantId, bytes, idempotencyKey }: UploadDocument,
    now: Date,
  ): Promise<UploadDocument | null> {
    if (idempotencyKey === undefined) return null;
    await this.uploads.deleteOne({ tenantId, idempotencyKey, expiresAt: { $lte: now } });
    const found = await this.uploads.findOne({ tenantId, idempotencyKey });
    if (!found || found.bytes === bytes) return found;
    const message = `this idempotency key was used for a file of ${found.bytes} bytes: use a new one`;
    throw new DomainError('IDEMPOTENCY_CONFLICT', message, { path: 'input.idempotencyKey' });
  }

  private async checkRoom(tenantId: string, now: Date): Promise<void> {
    const isOpen = { tenantId, expiresAt: { $gt: now } };
    if ((await this.uploads.countDocuments(isOpen, { limit: MAX_OPEN })) < MAX_OPEN) return;
    const message = `${MAX_OPEN} uploads of this tenant are open: import or drop one, or wait until it expires`;
    throw new DomainError('UPLOAD_LIMIT_REACHED', message);
  }

  /**
   * Adds one part; the same again changes nothing.
   *
   * @throws DomainError UPLOAD_NOT_FOUND, INVALID_INPUT for a part of another size, IDEMPOTENCY_CONFLICT for other bytes in its place
   */
  async append(
    tenantId: string,
    uploadId: string,
    { part, data }: { part: number; data: Buffer },
  ): Promise<ModelUpload> {
    const upload = await this.open(tenantId, uploadId);
    const expected = sizeOfPart(upload.bytes, part);
    if (data.byteLength !== expected) {
      const message = `part ${part} must have ${expected} bytes, got ${data.byteLength}: parts have ${PART_BYTES} bytes, the last one the rest`;
      throw new DomainError('INVALID_INPUT', message, { path: 'input.data' });
    }
    const sha256 = createHash('sha256').update(data).digest('hex');
    const { expiresAt } = upload;
    const document = {
      _id: `${uploadId}:${part}`,
      tenantId,
      uploadId,
      part,
      sha256,
      data: new Binary(data),
      expiresAt,
    };
    try {
      await this.parts.insertOne(document);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const before = await this.parts.findOne({ tenantId, uploadId, part }, { projection: { sha256: 1 } });
      if (before && before.sha256 !== sha256) {
        throw new DomainError(
          'IDEMPOTENCY_CONFLICT',
          `part ${part} is here already, with other bytes: begin another upload`,
        );
      }
    }
    return this.described(upload);
  }

  /** @throws DomainError UPLOAD_NOT_FOUND, UPLOAD_INCOMPLETE naming the parts that are missing */
  async read(tenantId: string, uploadId: string): Promise<Buffer> {
    const upload = await this.open(tenantId, uploadId);
    const { parts, received } = await this.described(upload);
    if (received.length < parts) {
      const missing = Array.from({ length: parts }, (_, part) => part).filter(
        (part) => !received.includes(part),
      );
      throw new DomainError(
        'UPLOAD_INCOMPLETE',
        `parts ${missing.slice(0, 10).join(', ')} of the upload are missing`,
      );
    }
    const content = Buffer.alloc(upload.bytes);
    for await (const { part, data } of this.parts.find({ tenantId, uploadId }).sort({ part: 1 }))
      content.set(data.buffer, part * PART_BYTES);
    return content;
  }

  /** Gives its room back. */
  async drop(tenantId: string, uploadId: string): Promise<void> {
    await this.uploads.deleteOne({ tenantId, _id: uploadId });
    await this.parts.deleteMany({ tenantId, uploadId });
  }

  private async open(tenantId: string, uploadId: string): Promise<UploadDocument> {
    const found = await this.uploads.findOne({
      tenantId,
      _id: uploadId,
      expiresAt: { $gt: this.clock.now() },
    });
    if (found) return found;
    throw new DomainError(
      'UPLOAD_NOT_FOUND',
      'there is no such upload, or it has expired: begin another one',
    );
  }

  private async described({ _id, tenantId, bytes, expiresAt }: UploadDocument): Promise<ModelUpload> {
    const found = await this.parts
      .find({ tenantId, uploadId: _id }, { projection: { part: 1 } })
      .sort({ part: 1 })
      .toArray();
    const received = found.map(({ part }) => part);
    return {
      id: _id,
      bytes,
      partBytes: PART_BYTES,
      parts: Math.ceil(bytes / PART_BYTES),
      received,
      expiresAt,
    };
  }
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** @throws DomainError INVALID_INPUT for a number that no part has */
function sizeOfPart(bytes: number, part: number): number {
  const parts = Math.ceil(bytes / PART_BYTES);
  if (Number.isInteger(part) && part >= 0 && part < parts)
    return Math.min(PART_BYTES, bytes - part * PART_BYTES);
  throw new DomainError('INVALID_INPUT', `part must be between 0 and ${parts - 1}, got ${part}`, {
    path: 'input.part',
  });
}
