import type { ManifestDraft, ModelCard, ModelRepository } from '@sextant/artefacts';
import type { ModelEvidence } from '@sextant/training/gates';
import { ModelLifecycle, type ModelVersions } from '@sextant/model-registry';
import type { Published } from './training-messages.js';

/** Share of a run at which everything is fitted and the files are written. */
export const PUBLISHING = 0.98;

/** What a task's training hands over: everything of a version but its number and hashes. */
export interface TrainedModel {
  draft: ManifestDraft;
  files: ReadonlyMap<string, Uint8Array>;
  card: ModelCard;
  /** what its gates are made of */
  evidence: ModelEvidence;
}

/** What became of a version that was published. */
export interface Publication {
  versionId: string;
  isLive: boolean;
  /** one sentence for people */
  said: string;
}

const BY = 'trainer';

/** Records versions that lie in the model repository and brings them into service as their policy wants it. */
export class Publisher {
  constructor(
    private readonly repository: ModelRepository,
    private readonly versions: ModelVersions,
    private readonly lifecycle = new ModelLifecycle(repository, versions),
  ) {}

  /** Records a version as CANDIDATE; again changes nothing. @returns its id, `<model>@<version>` */
  async register({ model, version, findings }: Published): Promise<string> {
    const manifest = await this.repository.readManifest(model, version);
    const card = await this.repository.readCard(model, version);
    const recorded = await this.lifecycle.register(manifest, card, {
      ...findings,
      origin: 'TRAINED',
      by: BY,
    });
    return recorded.id;
  }

  async isRecorded(tenantId: string, versionId: string): Promise<boolean> {
    return (await this.versions.find(tenantId, versionId)) !== null;
  }

  /**
   * Puts a version live that passed its gates, where the policy neither keeps that for people nor tries versions out first; again
   * changes nothing.
   *
   * @throws DomainError as `ModelLifecycle.promote`
   */
  async rollOut(tenantId: string, versionId: string): Promise<Publication> {
    const version = await this.versions.get(tenantId, versionId);
    const { rollout } = await this.versions.policies.find(tenantId, version.task);
    const failed = version.gates.filter(({ passed }) => !passed);
    const stays = (said: string): Publication => ({ versionId, isLive: false, said });
    if (failed.length > 0) {
      const gates = failed.map(({ name, observed }) => `${name} (${observed})`).join('; ');
      return stays(`${versionId} stays CANDIDATE, blocked by ${gates}`);
    }
    if (rollout.mode === 'MANUAL')
      return stays(`${versionId} passed its gates and waits to be promoted by hand`);
    const isTriedOut = rollout.shadowMinutes > 0 || rollout.canaryMinutes > 0;
    if (isTriedOut && (await this.versions.findLive(tenantId, version.model)) !== null)
      return stays(`${versionId} passed its gates and is tried out beside the live version first`);
    const reason = 'it passed its gates';
    const { blockedBy } = await this.lifecycle.promote({ tenantId, versionId, to: 'LIVE', reason, by: BY });
    if (blockedBy.length > 0) return stays(`${versionId} is blocked by ${blockedBy[0]?.name}`);
    return { versionId, isLive: true, said: `${versionId} is live` };
  }

  /**
   * Puts a version live by hand, recording one that was never recorded: it has no gates then, and needs an override.
   *
   * @param override  why failed gates are taken upon oneself; null: they are not
   */
  async goLive(place: { model: string; version: number }, override: string | null): Promise<Publication> {
    const findings = { gates: [], importance: {}, fairness: [] };
    const versionId = await this.register({ ...place, findings });
    const { tenantId } = await this.repository.readManifest(place.model, place.version);
    const by = 'command line';
    const { blockedBy } = await this.lifecycle.promote({ tenantId, versionId, to: 'LIVE', override, by });
    if (blockedBy.length === 0) return { versionId, isLive: true, said: `${versionId} is live` };
    const gates = blockedBy.map(
      ({ name, required, observed }) => `${name}: ${observed}, required ${required}`,
    );
    return { versionId, isLive: false, said: `${versionId} is blocked by\n${gates.join('\n')}` };
  }
}
