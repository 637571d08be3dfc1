import type { FairnessSlice, Gate, Manifest, ModelCard } from '@sextant/artefacts';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import type { Collection, Db } from 'mongodb';
import { ModelPolicies } from './model-policies.repository.js';
import { type ModelOrigin, type ModelVersion, modelVersionId } from './model-version.js';
import { StageStates } from './stage-states.repository.js';

type ModelVersionDocument = Omit<ModelVersion, 'id'> & { _id: string };

/** What was found out about a version when it was made. */
export interface Findings {
  gates: readonly Gate[];
  origin: ModelOrigin;
  /** by feature; absent where not measured */
  importance?: Readonly<Record<string, number>>;
  fairness?: readonly FairnessSlice[];
  /** who or what made it */
  by: string;
}

/** What was published and how far each version has come; written through `ModelLifecycle`, read by everybody. */
export class ModelVersions {
  readonly policies: ModelPolicies;
  readonly states: StageStates;
  private readonly versions: Collection<ModelVersionDocument>;

  constructor(
    db: Db,
    private readonly clock: Clock = systemClock,
  ) {
    this.versions = db.collection('model_versions');
    this.policies = new ModelPolicies(db);
    this.states = new StageStates(db, clock);
  }

  async ensureIndexes(): Promise<void> {
    await this.versions.createIndexes([
      { key: { tenantId: 1, model: 1, version: -1 }, name: 'newest_by_model' },
      { key: { tenantId: 1, model: 1, stage: 1 }, name: 'serving_by_model' },
      { key: { stage: 1, tenantId: 1, model: 1, task: 1 }, name: 'unsettled_models' },
    ]);
    await this.states.ensureIndexes();
  }

  /**
   * Records a version as CANDIDATE. The same files again change nothing; other files under the same number (a repository that was
   * emptied) replace the record.
   *
   * @throws DomainError ARTEFACT_INVALID when the manifest names no model.onnx
   */
  async record(manifest: Manifest, card: ModelCard, findings: Findings): Promise<ModelVersion> {
    const document = candidate({ manifest, card, findings }, this.clock.now());
    const { _id, tenantId, onnxSha256, ...rest } = document;
    await this.versions.updateOne(
      { _id, tenantId },
      { $setOnInsert: { onnxSha256, ...rest } },
      { upsert: true },
    );
    await this.versions.replaceOne({ _id, tenantId, onnxSha256: { $ne: onnxSha256 } }, document);
    return this.get(tenantId, _id);
  }

  async find(tenantId: string, id: string): Promise<ModelVersion | null> {
    return (await this.findMany(tenantId, [id]))[0] ?? null;
  }

  /** @throws DomainError MODEL_VERSION_NOT_FOUND */
  async get(tenantId: string, id: string): Promise<ModelVersion> {
    const found = await this.find(tenantId, id);
    if (found) return found;
    throw new DomainError('MODEL_VERSION_NOT_FOUND', `there is no model version "${id}"`, {
      path: 'versionId',
    });
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

  /** Those that get calls: LIVE, CANARY and SHADOW, newest first. */
  async listServing(tenantId: string, model: string): Promise<ModelVersion[]> {
    const found = await this.versions
      .find({ tenantId, model, stage: { $in: ['LIVE', 'CANARY', 'SHADOW'] } })
      .sort({ version: -1 })
      .toArray();
    return found.map(toVersion);
  }

  /** Newest first. */
  async list(tenantId: string, model: string, first: number): Promise<ModelVersion[]> {
    const found = await this.versions.find({ tenantId, model }).sort({ version: -1 }).limit(first).toArray();
    return found.map(toVersion);
  }

  /** Models of all tenants with a version that is on its way into service: for the trainer's own rounds. */
  async listUnsettled(): Promise<Pick<ModelVersion, 'tenantId' | 'model' | 'task'>[]> {
    const groups = await this.versions
      .aggregate<{ _id: Pick<ModelVersion, 'tenantId' | 'model' | 'task'> }>([
        { $match: { stage: { $in: ['CANDIDATE', 'SHADOW', 'CANARY'] } } },
        { $group: { _id: { tenantId: '$tenantId', model: '$model', task: '$task' } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    return groups.map(({ _id }) => _id);
  }

  /** The names of a tenant's models, in order. */
  async listModels(tenantId: string): Promise<string[]> {
    return (await this.versions.distinct('model', { tenantId })).sort();
  }
}

interface Made {
  manifest: Manifest;
  card: ModelCard;
  findings: Findings;
}

function candidate({ manifest, card, findings }: Made, now: Date): ModelVersionDocument {
  const onnx = manifest.files.find(({ path }) => path === 'model.onnx');
  if (!onnx)
    throw new DomainError('ARTEFACT_INVALID', `${manifest.model}/${manifest.version} names no model.onnx`);
  const { gates, origin, importance = {}, fairness = [], by } = findings;
  return {
    _id: modelVersionId(manifest.model, manifest.version),
    tenantId: manifest.tenantId,
    model: manifest.model,
    task: manifest.spec.task,
    version: manifest.version,
    stage: 'CANDIDATE',
    share: null,
    origin,
    trainedAt: new Date(manifest.trainedAt),
    publishedAt: now,
    onnxSha256: onnx.sha256,
    dataSha256: manifest.dataSha256,
    dataRows: manifest.dataRows,
    seed: manifest.seed,
    metrics: manifest.metrics,
    baselineMetrics: manifest.baselineMetrics,
    card,
    gates: [...gates],
    history: [{ from: null, to: 'CANDIDATE', at: now, by, reason: null, overridden: [] }],
    importance: { ...importance },
    fairness: [...fairness],
  };
}

/** Fields that came later are filled in for versions of before. */
function toVersion({ _id, ...version }: ModelVersionDocument): ModelVersion {
  const later = {
    share: null,
    origin: 'TRAINED',
    dataSha256: null,
    seed: null,
    gates: [],
    history: [],
    importance: {},
    fairness: [],
  } as const;
  return { id: _id, ...structuredClone(later), ...version };
}
