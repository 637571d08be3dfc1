import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';
import { NoRoomError } from './memory-budget.js';
import type { ServedModel } from './served-model.js';
import type { VersionSlot } from './version-slot.js';

/** Loads the files of a slot again. */
export type Reload = (slot: VersionSlot) => Promise<ServedModel>;

/** A version that failed to load again is not tried for each call that wants it. */
const RETRY_FAILED_MS = 1_000;
/** How often is looked whether versions in use have left room. */
const RETRY_ROOM_MS = 5;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Loading {
  result: Promise<ServedModel>;
  /** calls that wait for it */
  waiting: number;
}

/** Brings versions back that left memory: at the first call, once however many calls wait for it. */
export class ModelResidency {
  private readonly loading = new Map<VersionSlot, Loading>();
  private readonly failures = new WeakMap<VersionSlot, { reason: string; at: number }>();

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
    loading.waiting += 1;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const expire = (): void => reject(unavailable(slot, 'its load did not end before the deadline'));
      timer = setTimeout(expire, Math.max(0, Math.min(deadline - Date.now(), LONGEST_TIMER_MS)));
    });
    try {
      return await Promise.race([loading.result, late]);
    } finally {
      loading.waiting -= 1;
      clearTimeout(timer);
    }
  }

  private assertMayLoad(slot: VersionSlot): void {
    const failure = this.failures.get(slot);
    if (failure && Date.now() - failure.at < RETRY_FAILED_MS) throw unavailable(slot, failure.reason);
  }

  private start(slot: VersionSlot): Loading {
    const loading: Loading = { result: this.load(slot, () => loading.waiting > 0), waiting: 0 };
    // A call that gave up does not hear of it any more.
    loading.result.catch(() => undefined);
    this.loading.set(slot, loading);
    return loading;
  }

  /** Room that versions in use take is waited for, as long as a call waits. */
  private async load(slot: VersionSlot, isAwaited: () => boolean): Promise<ServedModel> {
    try {
      for (;;) {
        try {
          return await this.reload(slot);
        } catch (error) {
          if (!(error instanceof NoRoomError) || !isAwaited()) throw error;
          await pause(RETRY_ROOM_MS);
        }
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (!(cause instanceof NoRoomError)) this.failures.set(slot, { reason, at: Date.now() });
      throw unavailable(slot, reason, cause);
    } finally {
      this.loading.delete(slot);
    }
  }
}

function unavailable({ model, version }: VersionSlot, reason: string, cause?: unknown): DomainError {
  const message = `model "${model}" version ${version} left memory and could not be loaded again: ${reason}`;
  return new DomainError('INFERENCE_UNAVAILABLE', message, { cause });
}
