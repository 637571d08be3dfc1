import type { Manifest, ModelRepository } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type ExplainedScore, readExplainedScore } from '@sextant/learning/explain';
import { LRUCache } from 'lru-cache';

/** What is known of a version besides its answers. */
export interface VersionContent {
  spec: Manifest['spec'];
  /** null where the version brings no explainer */
  explained: ExplainedScore | null;
}

/** Versions of the latest questions; trees take a few MiB each. */
const VERSIONS = 8;

/** Manifests and explainers of versions, read from the repository and proven there. */
export class VersionContents {
  private readonly known = new LRUCache<string, Promise<VersionContent>>({ max: VERSIONS });

  /** @param repository  throws where the subgraph was given none */
  constructor(private readonly repository: () => ModelRepository) {}

  /** @throws DomainError MODEL_VERSION_NOT_FOUND, MODEL_REPOSITORY_UNSET, STORE_UNAVAILABLE, ARTEFACT_INVALID */
  async of(model: string, version: number): Promise<VersionContent> {
    const key = `${model}@${version}`;
    const known = this.known.get(key);
    if (known) return known;
    const reading = this.read(model, version);
    this.known.set(key, reading);
    try {
      return await reading;
    } catch (error) {
      if (this.known.get(key) === reading) this.known.delete(key);
      throw error;
    }
  }

  private async read(model: string, version: number): Promise<VersionContent> {
    const repository = this.repository();
    if ((await repository.findMark(model, version)) === null) {
      throw new DomainError(
        'MODEL_VERSION_NOT_FOUND',
        `model "${model}" has no version ${version} in the repository any more`,
      );
    }
    const { manifest, files } = await repository.readVersion(model, version);
    if (manifest === null) {
      throw new DomainError('MODEL_VERSION_NOT_FOUND', `${model}/${version} is no version with a manifest`);
    }
    const { spec } = manifest;
    const path = 'explainFile' in spec ? spec.explainFile : null;
    const file = path === null ? undefined : files.get(path);
    return { spec, explained: file ? readExplainedScore(file.toString('utf8')) : null };
  }
}
