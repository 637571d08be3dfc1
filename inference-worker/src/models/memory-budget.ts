import { DomainError } from '@sextant/domain';
import type { ModelCatalogue } from './model-catalogue.js';
import type { VersionSlot } from './version-slot.js';

/** Graph optimisation and packed weights; see {@link estimateMemory}. */
const SESSION_FACTOR = 1.25;
const SESSION_BASE_BYTES = 512 * 1024;

/**
 * What a version takes in memory: its files once, for threads that start later and for the main thread, and in each session the
 * weights as ONNX Runtime packs them.
 */
export function estimateMemory(
  { files, onnxBytes }: { files: ReadonlyMap<string, Uint8Array>; onnxBytes: number },
  sessions: number,
): number {
  let held = 0;
  for (const content of files.values()) held += content.byteLength;
  return Math.round(held + sessions * (SESSION_FACTOR * onnxBytes + SESSION_BASE_BYTES));
}

/** What is in use leaves no room; it may in a moment. */
export class NoRoomError extends DomainError {}

/** Keeps the loaded versions below a ceiling: to make room, the one that was idle longest leaves memory, never one in use. */
export class MemoryBudget {
  /** of loads that are under way */
  private reservedBytes = 0;

  /** @param ceilingBytes  Infinity: no ceiling */
  constructor(
    readonly ceilingBytes: number,
    private readonly catalogue: ModelCatalogue,
  ) {}

  /** Bytes of the versions in memory and of those that are being loaded. */
  get usedBytes(): number {
    return this.loaded().reduce((sum, slot) => sum + slot.memoryBytes, this.reservedBytes);
  }

  /**
   * Makes room for a load.
   *
   * @param wanted  what is to be loaded; versions that calls opened leave first, other versions of its model last, since calls may
   *   be on their way to them. What a call opens makes nobody leave who is served.
   * @returns      to be called when the version is in the catalogue, or will never be
   * @throws DomainError MODEL_TOO_LARGE when it never fits, INFERENCE_UNAVAILABLE when all the others are in use
   */
  reserve(wanted: { model: string; version: number; isOnDemand?: boolean }, bytes: number): () => void {
    const name = `${wanted.model}/${wanted.version}`;
    if (bytes > this.ceilingBytes) {
      const message = `${name} takes about ${bytes} bytes in memory and MODEL_MEMORY_BYTES is ${this.ceilingBytes}: allow more, or run fewer INFERENCE_THREADS`;
      throw new DomainError('MODEL_TOO_LARGE', message);
    }
    this.makeRoom(wanted, name, bytes);
    this.reservedBytes += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.reservedBytes -= bytes;
      isHeld = false;
    };
  }

  private makeRoom(
    { model, isOnDemand = false }: { model: string; isOnDemand?: boolean },
    name: string,
    bytes: number,
  ): void {
    let missing = this.usedBytes + bytes - this.ceilingBytes;
    if (missing <= 0) return;
    const now = Date.now();
    const idle = this.loaded().filter((slot) => !slot.isInUse && (slot.isOnDemand || !isOnDemand));
    const ownLast = (slot: VersionSlot): number => (slot.isOnDemand ? -1 : Number(slot.model === model));
    idle.sort((a, b) => ownLast(a) - ownLast(b) || b.idleMs(now) - a.idleMs(now));
    const possible = idle.reduce((sum, slot) => sum + slot.memoryBytes, 0);
    if (missing > possible) {
      const message = `there is no room for ${name}: it takes about ${bytes} bytes, and what is in use leaves ${bytes - missing + possible} of the ${this.ceilingBytes} of MODEL_MEMORY_BYTES; try again later`;
      throw new NoRoomError('INFERENCE_UNAVAILABLE', message);
    }
    for (const slot of idle) {
      if (missing <= 0) return;
      slot.leaveMemory('evicted');
      missing -= slot.memoryBytes;
    }
  }

  private loaded(): VersionSlot[] {
    return this.catalogue.slots().filter(({ served }) => served !== null);
  }
}
