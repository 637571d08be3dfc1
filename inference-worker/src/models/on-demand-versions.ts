import { DomainError } from '@sextant/domain';
import type { ModelCatalogue, WantedVersion } from './model-catalogue.js';
import type { VersionSlot } from './version-slot.js';

export interface OnDemandParts {
  catalogue: ModelCatalogue;
  /** opens a version of the repository that nothing asks to be served */
  open(model: string, version: number): Promise<void>;
  /** versions that may be open at the same time; 0: none is ever opened */
  most: number;
  now?: () => number;
}

/** A version leaves once nobody has named it for so long. */
const IDLE_MS = 60_000;
/** One that could not be opened is not tried for each call that names it. */
const RETRY_FAILED_MS = 15_000;
const MAX_FAILURES = 1_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Versions that a call names by number and that the repository has but does not ask to be served: replays of old decisions, and
 * comparisons. The first call opens one; it takes no share of other calls, never pushes a version out of memory that is served, and
 * leaves when nobody has named it for a minute, or another one is wanted.
 */
export class OnDemandVersions {
  private readonly opening = new Map<string, Promise<void>>();
  private readonly failures = new Map<string, { error: DomainError; at: number }>();

  constructor(private readonly parts: OnDemandParts) {}

  /** Whether {@link open} has something to do for a call. */
  wants({ model, version, mayOpen = false }: WantedVersion): boolean {
    const { most, catalogue } = this.parts;
    if (!mayOpen || most === 0 || catalogue.findSlot(model, version)) return false;
    return /^[1-9]\d{0,8}$/.test(version);
  }

  /**
   * @param deadline  epoch milliseconds
   * @throws DomainError MODEL_VERSION_NOT_FOUND, MODEL_REFUSED with the reason, MODEL_TOO_LARGE, INFERENCE_UNAVAILABLE when it does
   *   not come in time or there is no room for it
   */
  async open({ model, version }: WantedVersion, deadline: number): Promise<void> {
    const name = `${model}@${version}`;
    const failure = this.failures.get(name);
    if (failure && this.now() - failure.at < RETRY_FAILED_MS) throw failure.error;
    const opening = this.opening.get(name) ?? this.start(name, { model, version });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const message = `model "${model}" version ${version} is being opened; ask again in a moment`;
      const expire = (): void => reject(new DomainError('INFERENCE_UNAVAILABLE', message));
      timer = setTimeout(expire, Math.max(0, Math.min(deadline - Date.now(), LONGEST_TIMER_MS)));
    });
    try {
      await Promise.race([opening, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets go of versions that nobody named for a while. */
  sweep(): void {
    for (const slot of this.slots()) if (slot.idleMs(this.now()) >= IDLE_MS) this.close(slot);
  }

  private start(name: string, wanted: { model: string; version: string }): Promise<void> {
    const opening = this.openNow(wanted)
      .catch((cause: unknown) => {
        const error = refusalOf(wanted, cause);
        if (error.code !== 'INFERENCE_UNAVAILABLE') this.remember(name, error);
        throw error;
      })
      .finally(() => this.opening.delete(name));
    // A call that gave up does not hear of it any more.
    opening.catch(() => undefined);
    this.opening.set(name, opening);
    return opening;
  }

  private async openNow({ model, version }: { model: string; version: string }): Promise<void> {
    this.makeRoom();
    await this.parts.open(model, Number(version));
  }

  /** @throws DomainError INFERENCE_UNAVAILABLE when all that are open are in use */
  private makeRoom(): void {
    const open = this.slots();
    if (open.length + this.opening.size < this.parts.most) return;
    const now = this.now();
    const [idlest] = open.filter((slot) => !slot.isInUse).sort((a, b) => b.idleMs(now) - a.idleMs(now));
    if (idlest) return this.close(idlest);
    const message = `${this.parts.most} versions are open by call already, and in use: try again later, or raise MODEL_ON_DEMAND`;
    throw new DomainError('INFERENCE_UNAVAILABLE', message);
  }

  private close({ model, version }: VersionSlot): void {
    const { catalogue } = this.parts;
    const others = catalogue.versionsOf(model).filter((each) => each !== version);
    catalogue.retain(model, new Set(others), 'idle');
  }

  private slots(): VersionSlot[] {
    return this.parts.catalogue.slots().filter(({ isOnDemand }) => isOnDemand);
  }

  private remember(name: string, error: DomainError): void {
    if (this.failures.size >= MAX_FAILURES) this.failures.clear();
    this.failures.set(name, { error, at: this.now() });
  }

  private now(): number {
    return (this.parts.now ?? Date.now)();
  }
}

/** What is wrong with the files is a refusal of the version, not a fault of the worker. */
function refusalOf({ model, version }: { model: string; version: string }, cause: unknown): DomainError {
  if (cause instanceof DomainError && cause.kind !== 'internal') return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `model "${model}" version ${version} was refused: ${reason}`;
  return new DomainError('MODEL_REFUSED', message, { path: 'version', cause });
}
