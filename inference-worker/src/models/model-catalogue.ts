import { DomainError } from '@sextant/domain';
import type { ServedModel } from './served-model.js';

export interface Refusal {
  version: number;
  reason: string;
  /** epoch milliseconds */
  at: number;
}

interface Tenure {
  served: ServedModel;
  /** calls that use this version now */
  users: number;
  /** called when a retired version has no user left */
  onUnused?: () => void;
}

/** The versions in service, one a model. A version that was replaced lives on until the calls that began with it are done. */
export class ModelCatalogue {
  private readonly live = new Map<string, Tenure>();
  private readonly refusals = new Map<string, Refusal>();

  list(): ServedModel[] {
    return [...this.live.values()].map(({ served }) => served);
  }

  find(model: string): ServedModel | undefined {
    return this.live.get(model)?.served;
  }

  findRefusal(model: string): Refusal | undefined {
    return this.refusals.get(model);
  }

  /**
   * @param version  empty: the version in service
   * @throws DomainError MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND
   */
  get(model: string, version = ''): ServedModel {
    return this.tenure(model, version).served;
  }

  /** Runs `work` with a version that stays loaded until it is done. */
  async use<T>(
    wanted: { model: string; version: string },
    work: (served: ServedModel) => Promise<T>,
  ): Promise<T> {
    const tenure = this.tenure(wanted.model, wanted.version);
    tenure.users += 1;
    try {
      return await work(tenure.served);
    } finally {
      tenure.users -= 1;
      if (tenure.users === 0) tenure.onUnused?.();
    }
  }

  /** Puts a version in service; the one before is handed to `retire` as soon as nobody uses it. */
  put(served: ServedModel, retire: (old: ServedModel) => void): void {
    const before = this.live.get(served.model);
    this.live.set(served.model, { served, users: 0 });
    this.refusals.delete(served.model);
    if (before) retireWhenUnused(before, retire);
  }

  remove(model: string, retire: (old: ServedModel) => void): void {
    const before = this.live.get(model);
    this.live.delete(model);
    this.refusals.delete(model);
    if (before) retireWhenUnused(before, retire);
  }

  refuse(model: string, refusal: Refusal): void {
    this.refusals.set(model, refusal);
  }

  refused(): [string, Refusal][] {
    return [...this.refusals];
  }

  private tenure(model: string, version: string): Tenure {
    const tenure = this.live.get(model);
    if (!tenure) {
      const reason = this.refusals.has(model)
        ? 'its live version was refused, see the log'
        : 'none is live in the repository';
      throw new DomainError('MODEL_NOT_FOUND', `model "${model}" is not served: ${reason}`, {
        path: 'model',
      });
    }
    if (version !== '' && version !== tenure.served.version) {
      const message = `model "${model}" serves version ${tenure.served.version}, not "${version}"`;
      throw new DomainError('MODEL_VERSION_NOT_FOUND', message, { path: 'version' });
    }
    return tenure;
  }
}

function retireWhenUnused(tenure: Tenure, retire: (old: ServedModel) => void): void {
  if (tenure.users === 0) retire(tenure.served);
  else tenure.onUnused = () => retire(tenure.served);
}
