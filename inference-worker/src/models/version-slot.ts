import type { UnloadReason } from '../operations/model-metrics.js';
import type { ServedModel } from './served-model.js';

/** One version of a model that calls may reach. It lives until it is retired and its last call is done. */
export class VersionSlot {
  /** whether it takes a share of the calls that name no version */
  isCanary = false;
  /** whether a call opened it, and not the repository's wish to have it served */
  isOnDemand = false;
  /** calls that use the version now */
  private users = 0;
  private retiredFor: UnloadReason | null = null;
  private lastUsedAt = Date.now();
  private current: ServedModel | null;

  /** @param take  given the loaded version back once the slot is retired and unused, or when it leaves memory */
  constructor(
    served: ServedModel,
    /** of the repository's files and of how they are served; another stamp means another load */
    readonly stamp: string,
    private readonly take: (served: ServedModel, reason: UnloadReason) => void,
  ) {
    this.current = served;
    this.model = served.model;
    this.version = served.version;
    this.memoryBytes = served.memoryBytes;
  }

  readonly model: string;
  readonly version: string;
  /** what it takes while it is loaded */
  memoryBytes: number;

  /** Null while the version is out of memory; the next call loads it. */
  get served(): ServedModel | null {
    return this.current;
  }

  get retired(): boolean {
    return this.retiredFor !== null;
  }

  get isInUse(): boolean {
    return this.users > 0;
  }

  /** Milliseconds since the last call ended; 0 while one uses the version. */
  idleMs(now: number): number {
    return this.users > 0 ? 0 : now - this.lastUsedAt;
  }

  acquire(): void {
    this.users += 1;
  }

  release(): void {
    this.users -= 1;
    if (this.users > 0) return;
    this.lastUsedAt = Date.now();
    if (this.retiredFor) this.leave(this.retiredFor);
  }

  /** No new call finds the slot any more. */
  retire(reason: UnloadReason): void {
    this.retiredFor = reason;
    if (this.users === 0) this.leave(reason);
  }

  /** Takes the version out of memory, to be loaded again by the next call; nothing happens while a call uses it. */
  leaveMemory(reason: UnloadReason): boolean {
    if (this.users > 0 || this.current === null) return false;
    this.leave(reason);
    return true;
  }

  /** The version is loaded again; a slot that was retired meanwhile gives it back at once. */
  enterMemory(served: ServedModel): void {
    this.current = served;
    this.memoryBytes = served.memoryBytes;
    this.lastUsedAt = Date.now();
    if (this.retiredFor && this.users === 0) this.leave(this.retiredFor);
  }

  private leave(reason: UnloadReason): void {
    const served = this.current;
    this.current = null;
    if (served) this.take(served, reason);
  }
}
