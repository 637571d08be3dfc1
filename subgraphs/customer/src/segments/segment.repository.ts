import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainError } from '@sextant/domain';
import { type Collection, Db, type Document } from 'mongodb';
import { DATABASE, duplicateRows } from '../store.js';
import type { BehaviourModel } from './membership.js';
import { type Discovery, HISTORY_LENGTH, MOST_SEGMENTS, type Segment, type SegmentSize } from './segment.js';

interface SegmentDocument extends Omit<Segment, 'id'> {
  /** `tenantId:id` */
  _id: string;
  tenantId: string;
  id: string;
  /** what a second one of must not be: the name of a made segment, the id of a found one */
  key: string;
  /** since when it counts no more; null while it does */
  retiredAt: Date | null;
  /** idempotency keys of the calls that asked for it, the latest {@link MOST_KEYS}; left out where none had one */
  idempotencyKeys?: string[];
}

const MOST_KEYS = 100;

interface SegmentationDocument extends Discovery {
  /** the tenant's id: one newest discovery each */
  _id: string;
  tenantId: string;
  model: BehaviourModel | null;
}

/** What the pass over all customers found of one segment. */
export interface SegmentCount {
  id: string;
  size: number;
  previewIds: string[];
}

@Injectable()
export class SegmentRepository implements OnModuleInit {
  private readonly segments: Collection<SegmentDocument>;
  private readonly segmentations: Collection<SegmentationDocument>;

  constructor(@Inject(DATABASE) db: Db) {
    this.segments = db.collection<SegmentDocument>('segments');
    this.segmentations = db.collection<SegmentationDocument>('segmentations');
  }

  async onModuleInit(): Promise<void> {
    await this.segments.createIndex({ tenantId: 1, retiredAt: 1, createdAt: 1 }, { name: 'list_in_force' });
    await this.segments.createIndex({ tenantId: 1, key: 1 }, { name: 'one_of_a_name', unique: true });
    await this.segments.createIndex(
      { tenantId: 1, idempotencyKeys: 1 },
      {
        name: 'one_by_idempotency_key',
        unique: true,
        partialFilterExpression: { idempotencyKeys: { $exists: true } },
      },
    );
  }

  /** Those in force, oldest first, at most {@link MOST_SEGMENTS}. */
  async list(tenantId: string): Promise<Segment[]> {
    const found = await this.segments
      .find({ tenantId, retiredAt: null })
      .sort({ createdAt: 1, _id: 1 })
      .limit(MOST_SEGMENTS)
      .toArray();
    return found.map(segmentOf);
  }

  /** In the order of `ids`, those no longer in force too; null for unknown ones and those of other tenants. */
  async findByIds(tenantId: string, ids: readonly string[]): Promise<(Segment | null)[]> {
    const keys = ids.map((id) => keyOf(tenantId, id));
    const found = await this.segments.find({ tenantId, _id: { $in: keys } }).toArray();
    const byId = new Map(found.map((document) => [document.id, segmentOf(document)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async findByName(tenantId: string, name: string): Promise<Segment | null> {
    const found = await this.segments.findOne({ tenantId, key: nameKey(name) });
    return found && segmentOf(found);
  }

  /** The one that a call with this idempotency key asked for. */
  async findByKey(tenantId: string, idempotencyKey: string): Promise<Segment | null> {
    const found = await this.segments.findOne({ tenantId, idempotencyKeys: idempotencyKey });
    return found && segmentOf(found);
  }

  /** False when there is a segment of this name, or of this idempotency key; then nothing is stored. */
  async insert(tenantId: string, segment: Segment, idempotencyKey: string | null): Promise<boolean> {
    const document = {
      ...documentOf(tenantId, segment),
      key: nameKey(segment.name),
      ...(idempotencyKey !== null && { idempotencyKeys: [idempotencyKey] }),
    };
    try {
      await this.segments.insertMany([document], { ordered: false });
      return true;
    } catch (error) {
      duplicateRows(error);
      return false;
    }
  }

  /** Keeps that another call asked for the segment. @throws DomainError IDEMPOTENCY_CONFLICT when the key stands for another one */
  async noteKey(tenantId: string, id: string, idempotencyKey: string): Promise<void> {
    try {
      await this.segments.updateOne(
        { tenantId, _id: keyOf(tenantId, id), idempotencyKeys: { $ne: idempotencyKey } },
        { $push: { idempotencyKeys: { $each: [idempotencyKey], $slice: -MOST_KEYS } } },
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new DomainError(
        'IDEMPOTENCY_CONFLICT',
        'this idempotency key was used for another segment: use a new one',
        { path: 'idempotencyKey' },
      );
    }
  }

  /** Puts the clusters of a new fit in force in place of those before; what a cluster counted stays with its id. */
  async replaceClusters(tenantId: string, clusters: readonly Segment[], at: Date): Promise<void> {
    const ids = clusters.map(({ id }) => id);
    await this.segments.bulkWrite([
      {
        updateMany: {
          filter: { tenantId, 'definition.kind': 'CLUSTER', retiredAt: null, id: { $nin: ids } },
          update: { $set: { retiredAt: at } },
        },
      },
      ...clusters.map((cluster) => {
        const { _id, sizeHistory, createdAt, ...fields } = documentOf(tenantId, cluster);
        return {
          updateOne: {
            filter: { tenantId, _id },
            update: { $set: fields, $setOnInsert: { sizeHistory, createdAt } },
            upsert: true,
          },
        };
      }),
    ]);
  }

  /** Stores what a pass over all customers counted. */
  async saveCounts(tenantId: string, counts: readonly SegmentCount[], at: Date): Promise<void> {
    if (counts.length === 0) return;
    const operations = counts.map(({ id, size, previewIds }) => ({
      updateOne: {
        filter: { tenantId, _id: keyOf(tenantId, id) },
        update: {
          $set: { size, previewIds, measuredAt: at },
          $push: { sizeHistory: { $each: [{ at, size }] satisfies SegmentSize[], $slice: -HISTORY_LENGTH } },
        },
      },
    }));
    await this.segments.bulkWrite(operations, { ordered: false });
  }

  /** The collection for change streams, and how one of its documents is read. */
  watched(): { collection: Collection<Document>; read: (document: Document) => Segment } {
    return {
      collection: this.segments as unknown as Collection<Document>,
      read: (document) => segmentOf(document as unknown as SegmentDocument),
    };
  }

  async findModel(tenantId: string): Promise<BehaviourModel | null> {
    return (await this.segmentations.findOne({ tenantId, _id: tenantId }))?.model ?? null;
  }

  async findDiscovery(tenantId: string): Promise<Discovery | null> {
    const found = await this.segmentations.findOne({ tenantId, _id: tenantId });
    if (!found) return null;
    const { state, startedAt, finishedAt, failure, because, candidates, emerging } = found;
    return { state, startedAt, finishedAt, failure, because, candidates, emerging };
  }

  /** Marks a discovery as begun; false while another one that began after `staleBefore` still runs. */
  async begin(tenantId: string, at: Date, staleBefore: Date): Promise<boolean> {
    const begun = { state: 'RUNNING', startedAt: at, finishedAt: null, failure: null } as const;
    const rest = { tenantId, because: null, candidates: [], emerging: null, model: null };
    try {
      await this.segmentations.updateOne(
        {
          tenantId,
          _id: tenantId,
          $or: [{ state: { $ne: 'RUNNING' } }, { startedAt: { $lt: staleBefore } }],
        },
        { $set: begun, $setOnInsert: rest },
        { upsert: true }, // a running one makes this an insert of an existing _id
      );
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  async update(tenantId: string, changes: Partial<Discovery> & { model?: BehaviourModel }): Promise<void> {
    await this.segmentations.updateOne({ tenantId, _id: tenantId }, { $set: changes });
  }
}

const DUPLICATE_KEY = 11_000;

function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === DUPLICATE_KEY;
}

function keyOf(tenantId: string, id: string): string {
  return `${tenantId}:${id}`;
}

function nameKey(name: string): string {
  return `name:${name}`;
}

function documentOf(tenantId: string, segment: Segment): SegmentDocument {
  return { ...segment, _id: keyOf(tenantId, segment.id), tenantId, key: `id:${segment.id}`, retiredAt: null };
}

function segmentOf(document: SegmentDocument): Segment {
  const {
    _id,
    tenantId: _tenant,
    key: _key,
    retiredAt: _retired,
    idempotencyKeys: _keys,
    ...segment
  } = document;
  return segment;
}
