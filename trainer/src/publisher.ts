import type { ManifestDraft, ModelCard, ModelRepository } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { ModelVersions } from '@sextant/model-registry';

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
  constructor(
    private readonly repository: ModelRepository,
    private readonly versions: ModelVersions,
  ) {}

  /** Proves the files once more, moves the `live` pointer and records it. @returns the version's id, `<model>@<version>` */
  async goLive(model: string, version: number): Promise<string> {
    const { manifest } = await this.repository.readVersion(model, version);
    if (manifest === null) {
      throw new DomainError(
        'ARTEFACT_INVALID',
        `${model}/${version} has no manifest and was not trained here`,
      );
    }
    const card = await this.repository.readCard(model, version);
    await this.repository.setLiveVersion(model, version);
    return (await this.versions.recordLive(manifest, card)).id;
  }
}
