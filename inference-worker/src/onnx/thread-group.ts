import type { Worker } from 'node:worker_threads';
import type { HourCounts } from '../monitoring/hour-counts.js';
import { SessionThread, ThreadLostError } from './session-thread.js';

export interface ThreadGroupOptions {
  threads: number;
  spawn(): Worker;
  /** loads what a thread must hold before it takes jobs */
  prepare(thread: SessionThread): Promise<void>;
  /** told when a thread was lost and is being replaced */
  onLost(cause: Error): void;
  /** called whenever a thread may have become idle */
  onIdle(): void;
  /** what a thread counted of the decisions since the last time */
  onCounts(counts: readonly HourCounts[]): void;
}

const FIRST_RESTART_MS = 50;
const LONGEST_RESTART_MS = 5_000;
/** A thread that lived this long is no part of a crash loop. */
const STABLE_MS = 30_000;
const STOP_GRACE_MS = 5_000;

/** Threads that hold the same; a lost one is replaced, with a growing pause while the replacements fail too. */
export class ThreadGroup {
  private readonly threads = new Set<SessionThread>();
  private readonly restarts = new Set<NodeJS.Timeout>();
  private consecutiveLosses = 0;
  private lastLossAt = 0;
  private closed = false;
  private started: Promise<void> | null = null;

  constructor(private readonly options: ThreadGroupOptions) {}

  /**
   * Starts the threads, once; after a failure the next call tries again.
   *
   * @throws ThreadLostError when they cannot start, e.g. without a usable ONNX Runtime binary
   */
  start(): Promise<void> {
    this.started ??= this.addThreads().catch((error: unknown) => {
      this.started = null;
      throw error;
    });
    return this.started;
  }

  idleThread(): SessionThread | undefined {
    for (const thread of this.threads) if (thread.isIdle) return thread;
    return undefined;
  }

  /** The threads there are now, for work that is done on one after the other. */
  list(): SessionThread[] {
    return [...this.threads];
  }

  /** Takes a key off every thread. */
  async unload(key: string): Promise<void> {
    await Promise.all(this.list().map((thread) => thread.unload(key).catch(ignoreLostThread)));
    this.options.onIdle();
  }

  /** Makes every thread hand over what it counted; what a lost one did not is lost with it. */
  async count(): Promise<void> {
    const ready = this.list().filter(({ isReady }) => isReady);
    await Promise.all(ready.map((thread) => thread.count().catch(ignoreLostThread)));
    this.options.onIdle();
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.restarts) clearTimeout(timer);
    await this.stopAll();
  }

  private async stopAll(): Promise<void> {
    await Promise.all(this.list().map((thread) => thread.stop(STOP_GRACE_MS)));
    this.threads.clear();
  }

  private async addThreads(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.options.threads }, () => this.addThread()));
    } catch (error) {
      await this.stopAll();
      throw error;
    }
  }

  private async addThread(): Promise<void> {
    const thread = new SessionThread(this.options.spawn(), {
      onLost: (lost, cause) => this.replace(lost, cause),
      onCounts: (counts) => this.options.onCounts(counts),
    });
    this.threads.add(thread);
    try {
      // An unload of an unknown key does nothing; its answer proves that ONNX Runtime could be loaded.
      await thread.unload('');
      await this.options.prepare(thread);
      thread.markReady();
    } catch (error) {
      this.threads.delete(thread);
      await thread.stop(STOP_GRACE_MS);
      throw error;
    }
    this.options.onIdle();
  }

  private replace(lost: SessionThread, cause: Error): void {
    const wasReady = lost.isReady;
    this.threads.delete(lost);
    if (!this.closed) this.options.onLost(cause);
    // A thread that is lost while it starts is the business of whoever started it.
    if (wasReady) this.restartLater();
  }

  private restartLater(): void {
    if (this.closed) return;
    const now = Date.now();
    this.consecutiveLosses = now - this.lastLossAt > STABLE_MS ? 0 : this.consecutiveLosses + 1;
    this.lastLossAt = now;
    const timer = setTimeout(
      () => {
        this.restarts.delete(timer);
        this.addThread().catch(() => this.restartLater());
      },
      Math.min(FIRST_RESTART_MS * 2 ** this.consecutiveLosses, LONGEST_RESTART_MS),
    );
    this.restarts.add(timer);
  }
}

function ignoreLostThread(error: unknown): void {
  if (!(error instanceof ThreadLostError)) throw error;
}
