import { DomainError } from '@sextant/domain';
import type { ServedModel } from './served-model.js';
import type { VersionSlot } from './version-slot.js';

/** Loads the files of a slot again. */
export type Reload = (slot: VersionSlot) => Promise<ServedModel>;

/** A version that failed to load again is not tried for each call that wants it. */
const RETRY_FAILED_MS = 1_000;

interface Failure {
  reason: string;
  at: number;
}

/** Brings versions back that left memory: at the first call, once however many calls wait for it. */
export class ModelResidency {
  private readonly loading = new Map<VersionSlot, Promise<ServedModel>>();
  private readonly failures = new WeakMap<VersionSlot, Failure>();

  constructor(private readonly reload: Reload) {}

  isLoading(slot: VersionSlot): boolean {
    return this.loading.has(slot);
  }

  /**
   * The version, once it is in memory. The caller has acquired the slot, so that it stays there.
   *
   * @param deadline  epoch milliseconds
   * @throws DomainError INFERENCE_UNAVAILABLE when it does not come in time, or cannot be loaded, with the reason
   */
  async bring(slot: VersionSlot, deadline: number): Promise<ServedModel> {
    this.assertMayLoad(slot);
    const loading = this.loading.get(slot) ?? this.start(slot);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const message = `model "${slot.model}" version ${slot.version} was out of memory and is being loaded; its load did not end before the deadline`;
      const expire = (): void => reject(new DomainError('INFERENCE_UNAVAILABLE', message));
      timer = setTimeout(expire, Math.max(0, Math.min(deadline - Date.now(), LONGEST_TIMER_MS)));
    });
    try {
      return await Promise.race([loading, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private assertMayLoad(slot: VersionSlot): void {
    const failure = this.failures.get(slot);
    if (failure && Date.now() - failure.at < RETRY_FAILED_MS) throw unavailable(slot, failure.reason);
  }

  private start(slot: VersionSlot): Promise<ServedModel> {
    const loading = this.reload(slot)
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        this.failures.set(slot, { reason, at: Date.now() });
        throw unavailable(slot, reason, cause);
      })
      .finally(() => this.loading.delete(slot));
    this.loading.set(slot, loading);
    return loading;
  }
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

function unavailable(slot: VersionSlot, reason: string, cause?: unknown): DomainError {
  const message = `model "${slot.model}" version ${slot.version} could not be loaded again: ${reason}`;
  return new DomainError('INFERENCE_UNAVAILABLE', message, { cause });
}
