import type { Engine, EngineSource, SubgraphTransport } from '../engine/engine.js';

/** An engine, what it fetches through, and how to let go of it. */
export interface BuiltEngine {
  engine: Engine;
  transport: SubgraphTransport;
  /** called once, when nothing runs on it any more */
  dispose(): void;
}

interface Entry {
  built: BuiltEngine;
  users: number;
  isReplaced: boolean;
}

/** The engine in force. One that was replaced serves out what runs on it and is then disposed of. */
export class LiveEngines implements EngineSource {
  private entry: Entry;
  private readonly alive = new Set<Entry>();

  constructor(first: BuiltEngine) {
    this.entry = this.added(first);
  }

  get current(): BuiltEngine {
    return this.entry.built;
  }

  /** Engines that exist: the one in force and those that are being drained. */
  get count(): number {
    return this.alive.size;
  }

  lease(): { engine: Engine; release(): void } {
    const { entry } = this;
    entry.users += 1;
    let isHeld = true;
    return {
      engine: entry.built.engine,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        entry.users -= 1;
        this.disposeIfDone(entry);
      },
    };
  }

  replace(next: BuiltEngine): void {
    const previous = this.entry;
    this.entry = this.added(next);
    previous.isReplaced = true;
    this.disposeIfDone(previous);
  }

  /** Disposes of all; nothing may run any more. */
  close(): void {
    for (const { built } of this.alive) built.dispose();
    this.alive.clear();
  }

  private added(built: BuiltEngine): Entry {
    const entry = { built, users: 0, isReplaced: false };
    this.alive.add(entry);
    return entry;
  }

  private disposeIfDone(entry: Entry): void {
    if (!entry.isReplaced || entry.users > 0 || !this.alive.delete(entry)) return;
    entry.built.dispose();
  }
}
