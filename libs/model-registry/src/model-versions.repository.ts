import type { Manifest, Measured, ModelCard, Task } from '@sextant/artefacts';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import type { Collection, Db } from 'mongodb';

export type Stage = 'CANDIDATE' | 'SHADOW' | 'CANARY' | 'LIVE' | 'RETIRED';

/** One published version as people and decisions refer to it; the files are in the model repository. */
export interface ModelVersion {
  /** `<model>@<version>` */
  id: string;
  tenantId: string;
  /** `<tenant>.<task>` */
  model: string;
  task: Task;
  version: number;
  stage: Stage;
  trainedAt: Date;
  publishedAt: Date;
  onnxSha256: string;
  dataRows: number;
  metrics: Record<string, Measured>;
  baselineMetrics: Record<string, Measured>;
  card: ModelCard;
}

type ModelVersionDocument = Omit<ModelVersion, 'id'> & { _id: string };

export function modelVersionId(model: string, version: number | string): string {
  return `${model}@${version}`;
}

/** What was published, and which version of a model is live; written by the trainer, read by the prediction subgraph. */
export class ModelVersions {
  private readonly versions: Collection<ModelVersionDocument>;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock = systemClock,
  ) {
    this.versions = db.collection('model_versions');
  }

  async ensureIndexes(): Promise<void> {
    await this.versions.createIndexes([
      { key: { tenantId: 1, model: 1, version: -1 }, name: 'newest_by_model' },
    ]);
  }

  /**
   * Records that a version serves from now on and that the one before it is retired, both or neither.
   * Call it after the model directory's `live` was moved; recording the same version again changes nothing.
   *
   * @throws DomainError ARTEFACT_INVALID when the manifest names no model.onnx
   */
  async recordLive(manifest: Manifest, card: ModelCard): Promise<ModelVersion> {
    const { _id, ...fields } = liveVersion(manifest, card, this.clock.now());
    const { tenantId, model, publishedAt, ...rest } = fields;
    await this.db.client.withSession((session) =>
      session.withTransaction(async () => {
        await this.versions.updateMany(
          { tenantId, model, stage: 'LIVE', _id: { $ne: _id } },
          { $set: { stage: 'RETIRED' } },
          { session },
        );
        await this.versions.updateOne(
          { _id, tenantId, model },
          { $set: rest, $setOnInsert: { publishedAt } },
          { upsert: true, session },
        );
      }),
    );
    return { id: _id, ...fields };
  }

  async find(tenantId: string, id: string): Promise<ModelVersion | null> {
    return (await this.findMany(tenantId, [id]))[0] ?? null;
  }

  /** Those of the ids that are this tenant's, in no particular order. */
  async findMany(tenantId: string, ids: readonly string[]): Promise<ModelVersion[]> {
    const found = await this.versions.find({ tenantId, _id: { $in: [...ids] } }).toArray();
    return found.map(toVersion);
  }

  async findLive(tenantId: string, model: string): Promise<ModelVersion | null> {
    const found = await this.versions
      .find({ tenantId, model, stage: 'LIVE' })
      .sort({ version: -1 })
      .limit(1)
      .next();
    return found ? toVersion(found) : null;
  }

  /** Newest first. */
  async list(tenantId: string, model: string, first: number): Promise<ModelVersion[]> {
    const found = await this.versions.find({ tenantId, model }).sort({ version: -1 }).limit(first).toArray();
    return found.map(toVersion);
  }
}

function liveVersion(manifest: Manifest, card: ModelCard, now: Date): ModelVersionDocument {
  const onnx = manifest.files.find(({ path }) => path === 'model.onnx');
  if (!onnx)
    throw new DomainError('ARTEFACT_INVALID', `${manifest.model}/${manifest.version} names no model.onnx`);
  return {
    _id: modelVersionId(manifest.model, manifest.version),
    tenantId: manifest.tenantId,
    model: manifest.model,
    task: manifest.spec.task,
    version: manifest.version,
    stage: 'LIVE',
    trainedAt: new Date(manifest.trainedAt),
    publishedAt: now,
    onnxSha256: onnx.sha256,
    dataRows: manifest.dataRows,
    metrics: manifest.metrics,
    baselineMetrics: manifest.baselineMetrics,
    card,
  };
}

function toVersion({ _id, ...version }: ModelVersionDocument): ModelVersion {
  return { id: _id, ...version };
}
