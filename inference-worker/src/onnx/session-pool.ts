import { Worker } from 'node:worker_threads';
import { SessionThread, ThreadLostError } from './session-thread.js';
import type { Job, JobResult, LoadedModel } from './thread-messages.js';

export interface SessionPoolOptions {
  threads: number;
  /** told when a thread was lost and is being replaced */
  onThreadLost(cause: Error): void;
  /** starts one thread; tests keep hold of it */
  spawn?: () => Worker;
}

const FIRST_RESTART_MS = 50;
const LONGEST_RESTART_MS = 5_000;
/** A thread that lived this long is no part of a crash loop. */
const STABLE_MS = 30_000;
const STOP_GRACE_MS = 5_000;

/** Compiled next to this file, or the TypeScript source where this file itself runs as source. */
function spawnThread(): Worker {
  const entry = import.meta.url.endsWith('.ts') ? './session.worker.ts' : './session.worker.js';
  return new Worker(new URL(entry, import.meta.url), { name: 'inference', execArgv: [] });
}

/**
 * Threads that each hold a session of every loaded model. `session.run` blocks the thread that calls it, so none is ever
 * made on the main thread. A lost thread is replaced, with a growing pause while the replacements fail too.
 */
export class SessionPool {
  private readonly models = new Map<string, LoadedModel>();
  private readonly threads = new Set<SessionThread>();
  private readonly restarts = new Set<NodeJS.Timeout>();
  private consecutiveLosses = 0;
  private lastLossAt = 0;
  private closed = false;
  /** called whenever a thread may have become idle */
  onIdle: () => void = () => undefined;

  private constructor(private readonly options: SessionPoolOptions) {}

  /** @throws ThreadLostError when the threads cannot start, e.g. without a usable ONNX Runtime binary */
  static async start(options: SessionPoolOptions): Promise<SessionPool> {
    const pool = new SessionPool(options);
    const started = Array.from({ length: options.threads }, () => pool.addThread());
    try {
      await Promise.all(started);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get hasIdleThread(): boolean {
    return this.idleThread() !== undefined;
  }

  /** Loads a model on one thread after the other, so that the rest keep serving; on failure it is on none. */
  async load(model: LoadedModel): Promise<void> {
    this.models.set(model.key, model);
    try {
      for (const thread of [...this.threads]) await thread.load(model);
    } catch (error) {
      await this.unload(model.key);
      throw error;
    } finally {
      this.onIdle();
    }
  }

  async unload(key: string): Promise<void> {
    this.models.delete(key);
    await Promise.all([...this.threads].map((thread) => thread.unload(key).catch(ignoreLostThread)));
    this.onIdle();
  }

  /** @throws ThreadLostError when the thread ended under the job, ModelRunError when the model failed, RangeError without an idle thread */
  async run(job: Job): Promise<JobResult> {
    const thread = this.idleThread();
    if (!thread) throw new RangeError('no thread is idle; ask hasIdleThread first');
    try {
      return await thread.run(job);
    } finally {
      this.onIdle();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.restarts) clearTimeout(timer);
    await Promise.all([...this.threads].map((thread) => thread.stop(STOP_GRACE_MS)));
    this.threads.clear();
  }

  private idleThread(): SessionThread | undefined {
    for (const thread of this.threads) if (thread.isIdle) return thread;
    return undefined;
  }

  private async addThread(): Promise<void> {
    const worker = (this.options.spawn ?? spawnThread)();
    const thread = new SessionThread(worker, (lost, cause) => this.replace(lost, cause));
    this.threads.add(thread);
    try {
      // An unload of an unknown key does nothing; its answer proves that ONNX Runtime could be loaded.
      await thread.unload('');
      await thread.prepare(this.models.values());
    } catch (error) {
      this.threads.delete(thread);
      await thread.stop(STOP_GRACE_MS);
      throw error;
    }
    this.onIdle();
  }

  private replace(lost: SessionThread, cause: Error): void {
    const wasReady = lost.isReady;
    this.threads.delete(lost);
    if (!this.closed) this.options.onThreadLost(cause);
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
