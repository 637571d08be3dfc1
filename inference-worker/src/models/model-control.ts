import { isModelName, type ModelRepository } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { ModelCatalogue } from './model-catalogue.js';
import type { ModelFollower } from './model-follower.js';

/** Who decides what is loaded: the repository, or callers that ask for it. */
export type ControlMode = 'poll' | 'explicit';

/** One line of the repository's index. */
export interface IndexedVersion {
  name: string;
  /** empty for a model of which no version was tried */
  version: string;
  state: 'READY' | 'UNAVAILABLE' | 'LOADING';
  /** why calls cannot reach it, or what they wait for */
  reason: string;
}

export interface ControlParts {
  repository: ModelRepository;
  follower: ModelFollower;
  catalogue: ModelCatalogue;
  /** whether a version that left memory is on its way back */
  isLoading(model: string, version: string): boolean;
}

/** What callers may see and, in explicit mode, change of what is loaded. A model that was unloaded stays so until it is asked for. */
export class ModelControl {
  constructor(
    private readonly mode: ControlMode,
    private readonly parts: ControlParts,
  ) {}

  /** Every model of the repository, also while that is away: then those that are known. */
  async index(onlyReady: boolean): Promise<IndexedVersion[]> {
    const { repository, catalogue } = this.parts;
    const listed = await repository.listModels().catch((): string[] => []);
    const names = [...new Set([...listed, ...catalogue.names()])].sort();
    const lines = names.flatMap((name) => this.linesOf(name));
    return onlyReady ? lines.filter(({ state }) => state === 'READY') : lines;
  }

  /**
   * Loads what the repository wants of a model now; what is loaded already is brought up to date.
   *
   * @throws DomainError MODEL_CONTROL_DISABLED, MODEL_NOT_FOUND, MODEL_REFUSED with the reason, STORE_UNAVAILABLE
   */
  async load(model: string): Promise<void> {
    this.assertExplicit();
    const { repository, follower, catalogue } = this.parts;
    if (!isModelName(model) || !(await repository.listModels()).includes(model)) {
      throw new DomainError('MODEL_NOT_FOUND', `model "${model}" is not in the repository`, {
        path: 'model_name',
      });
    }
    await follower.follow(model, { retryRefused: true });
    const wanted = follower.desiredOf(model);
    const refusals = catalogue.refused().filter(([name]) => name === model);
    const [refused] = refusals;
    if (refused) {
      const [, { version, reason }] = refused;
      const what = version === 0 ? `model "${model}"` : `model "${model}" version ${version}`;
      throw new DomainError('MODEL_REFUSED', `${what} was refused: ${reason}`, { path: 'model_name' });
    }
    if (!wanted || catalogue.slotsOf(model).length === 0) {
      throw new DomainError('MODEL_NOT_FOUND', `model "${model}" has no live version`, {
        path: 'model_name',
      });
    }
  }

  /**
   * Takes every version of a model out of service; running calls finish.
   *
   * @throws DomainError MODEL_CONTROL_DISABLED, MODEL_NOT_FOUND
   */
  async unload(model: string): Promise<void> {
    this.assertExplicit();
    if (!this.parts.catalogue.names().includes(model)) {
      throw new DomainError('MODEL_NOT_FOUND', `model "${model}" is not loaded`, { path: 'model_name' });
    }
    await this.parts.follower.retire(model, 'requested');
  }

  private linesOf(name: string): IndexedVersion[] {
    const { catalogue, isLoading } = this.parts;
    const served = catalogue.slotsOf(name).map(({ version, served: loaded }): IndexedVersion => {
      if (loaded) return { name, version, state: 'READY', reason: '' };
      if (isLoading(name, version)) return { name, version, state: 'LOADING', reason: 'back into memory' };
      return { name, version, state: 'READY', reason: 'out of memory; the next call loads it' };
    });
    const refused = catalogue
      .refused()
      .filter(([model]) => model === name)
      .map(([, { version, reason }]): IndexedVersion => ({
        name,
        version: version === 0 ? '' : String(version),
        state: 'UNAVAILABLE',
        reason,
      }));
    const lines = [...served, ...refused].sort((a, b) => Number(a.version) - Number(b.version));
    return lines.length > 0
      ? lines
      : [{ name, version: '', state: 'UNAVAILABLE', reason: 'no version is loaded' }];
  }

  private assertExplicit(): void {
    if (this.mode === 'explicit') return;
    const message =
      'the worker serves what its repository says: put a version live there, or set MODEL_CONTROL_MODE=explicit to load and unload by call';
    throw new DomainError('MODEL_CONTROL_DISABLED', message);
  }
}
