import type { ModelRepository } from '@sextant/artefacts';
import { type Clock, DomainError } from '@sextant/domain';
import { ModelLifecycle, type ModelVersions, openModelRepository } from '@sextant/model-registry';

/** Where versions lie and how they move; a subgraph that is not told where they lie answers questions and changes nothing. */
export class ModelStore {
  private readonly opened: { repository: ModelRepository; lifecycle: ModelLifecycle } | null;

  constructor(repository: ModelRepository | null, versions: ModelVersions, clock: Clock) {
    const lifecycle = repository && new ModelLifecycle(repository, versions, clock);
    this.opened = repository && lifecycle && { repository, lifecycle };
    // A change that this process left half done when it died; without a store the next change does it.
    lifecycle?.recover().catch(() => undefined);
  }

  /** @param where  as in MODEL_REPOSITORY; nothing where it is not set */
  static async open(where: string | undefined, versions: ModelVersions, clock: Clock): Promise<ModelStore> {
    return new ModelStore(where ? await openModelRepository(where) : null, versions, clock);
  }

  /** @throws DomainError MODEL_REPOSITORY_UNSET */
  get repository(): ModelRepository {
    return this.required().repository;
  }

  /** @throws DomainError MODEL_REPOSITORY_UNSET */
  get lifecycle(): ModelLifecycle {
    return this.required().lifecycle;
  }

  async close(): Promise<void> {
    await this.opened?.repository.close();
  }

  private required() {
    if (this.opened) return this.opened;
    throw new DomainError(
      'MODEL_REPOSITORY_UNSET',
      'this subgraph does not know where model versions lie: set its MODEL_REPOSITORY to that of workers and trainer',
    );
  }
}
