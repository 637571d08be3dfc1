import type { ModelCatalogue } from './model-catalogue.js';
import type { OnDemandVersions } from './on-demand-versions.js';
import type { VersionSlot } from './version-slot.js';

const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Takes versions out of memory that nobody called for a while; the next call brings them back. */
export class IdleSweep {
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param defaultLimitMs  how long a version may be idle; 0: for ever
   * @param ownLimitMsOf    the same for versions whose model is configured otherwise
   * @param onDemand        versions that calls opened, which leave altogether
   */
  constructor(
    private readonly catalogue: ModelCatalogue,
    private readonly defaultLimitMs: number,
    private readonly ownLimitMsOf: (slot: VersionSlot) => number | undefined,
    private readonly onDemand: Pick<OnDemandVersions, 'sweep'>,
  ) {}

  start(): void {
    const limits = [
      this.defaultLimitMs,
      ...this.catalogue.slots().map((slot) => this.limitMsOf(slot)),
    ].filter((limit) => limit > 0);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, Math.min(...limits) / 4));
    this.timer = setTimeout(() => {
      this.sweep(Date.now());
      this.start();
    }, pauseMs);
    this.timer.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private limitMsOf(slot: VersionSlot): number {
    return this.ownLimitMsOf(slot) ?? this.defaultLimitMs;
  }

  private sweep(now: number): void {
    this.onDemand.sweep();
    for (const slot of this.catalogue.slots()) {
      const limitMs = this.limitMsOf(slot);
      if (limitMs > 0 && slot.idleMs(now) >= limitMs) slot.leaveMemory('idle');
    }
  }
}
