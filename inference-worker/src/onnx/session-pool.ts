import type { Worker } from 'node:worker_threads';
import type { HourCounts } from '../monitoring/hour-counts.js';
import {
  CPU_ONLY,
  failureText,
  gpuProviders,
  NoProviderError,
  type Provider,
  type ProviderAttempt,
  type ProviderPlan,
} from './providers.js';
import { ModelRunError, ProviderLostError, type SessionThread, ThreadLostError } from './session-thread.js';
import { loadOnGpu, openCpuSession, type Placement } from './placement.js';
import { spawnThread } from './spawn-thread.js';
import { ThreadGroup } from './thread-group.js';
import type { Job, JobResult, LoadedModel, OpenedSession, Program } from './thread-messages.js';

/** A provider did not take a model, or failed under it. */
export interface ProviderFailure extends ProviderAttempt {
  key: string;
  /** `run`: it had served the model until then */
  during: 'load' | 'run';
  /** the provider that serves the model now; null when none could */
  now: Provider | null;
}

export interface SessionPoolOptions {
  /** threads that hold a session of every model on the CPU */
  threads: number;
  /** where models run that bring no plan of their own; the CPU where absent */
  plan?: ProviderPlan;
  /** told when a thread was lost and is being replaced */
  onThreadLost(cause: Error): void;
  /** told once of each provider that a model tried in vain or had to leave */
  onProviderFailed?(failure: ProviderFailure): void;
  /** told what the threads counted of the decisions since the last time */
  onCounts?(counts: readonly HourCounts[]): void;
  /** starts one thread; tests keep hold of it */
  spawn?: () => Worker;
}

/**
 * Where models are held and run. `session.run` blocks the thread that calls it, so none is ever made on the main thread.
 *
 * On the CPU every thread holds a session of every model, so that any idle thread takes any batch. A GPU runs one batch after the
 * other whoever asks, its memory is dear, and all sessions of ONNX Runtime's WebGPU provider share one device that two threads
 * must not use at once: models on a GPU have one session each, all on one thread of their own. Those that explain are on the CPU
 * threads as well, where attributions are made.
 */
export class SessionPool {
  private readonly placements = new Map<string, Placement>();
  private readonly cpu: ThreadGroup;
  /** started when the first model tries a GPU */
  private readonly gpu: ThreadGroup;
  /** called whenever a thread may have become idle */
  onIdle: () => void = () => undefined;

  private constructor(private readonly options: SessionPoolOptions) {
    const common = {
      spawn: options.spawn ?? spawnThread,
      onLost: (cause: Error) => options.onThreadLost(cause),
      onIdle: () => this.onIdle(),
      onCounts: (counts: readonly HourCounts[]) => options.onCounts?.(counts),
    };
    const { threads } = options;
    this.cpu = new ThreadGroup({ ...common, threads, prepare: (thread) => this.prepareCpu(thread) });
    this.gpu = new ThreadGroup({ ...common, threads: 1, prepare: (thread) => this.prepareGpu(thread) });
  }

  /** @throws ThreadLostError when the threads cannot start, e.g. without a usable ONNX Runtime binary */
  static async start(options: SessionPoolOptions): Promise<SessionPool> {
    const pool = new SessionPool(options);
    await pool.cpu.start();
    return pool;
  }

  /** Threads that take batches, and those of them that run one now. */
  counts(): { alive: number; busy: number } {
    const ready = [...this.cpu.list(), ...this.gpu.list()].filter(({ isReady }) => isReady);
    return { alive: ready.length, busy: ready.filter(({ isIdle }) => !isIdle).length };
  }

  /** Threads that can run such jobs side by side. */
  threadsFor({ key, program }: Pick<Job, 'key' | 'program'>): number {
    const placement = this.placements.get(key);
    return placement ? this.groupOf(placement, program).list().length : 0;
  }

  /** Whether `run` would take such a job now. */
  hasIdleThreadFor({ key, program }: Pick<Job, 'key' | 'program'>): boolean {
    const placement = this.placements.get(key);
    if (!placement) return false;
    if (placement.failure) return true;
    return placement.isReady && this.groupOf(placement, program).idleThread() !== undefined;
  }

  /**
   * Loads a model where its plan says, on one thread after the other, so that the rest keep serving; on failure it is on none.
   *
   * @returns what was opened; kept up to date when the model has to leave its provider
   * @throws NoProviderError with the failure of each provider, ModelRunError for a bad explainer, ThreadLostError
   */
  async load(model: LoadedModel): Promise<OpenedSession> {
    const usual = this.options.plan ?? CPU_ONLY;
    const { providers = usual.providers, strict = usual.strict } = model.plan ?? {};
    const plan: ProviderPlan = { providers, strict };
    const placement: Placement = { model, plan, home: 'cpu', isReady: false, opened: null, failure: null };
    this.placements.set(model.key, placement);
    try {
      placement.opened = await this.place(placement, plan);
      placement.isReady = true;
      const { attempts, provider: now } = placement.opened;
      this.report(model.key, 'load', { attempts, now });
      return placement.opened;
    } catch (error) {
      await this.unload(model.key);
      throw error;
    } finally {
      this.onIdle();
    }
  }

  /** Makes every thread hand over what it counted of the decisions. */
  async count(): Promise<void> {
    await Promise.all([this.cpu.count(), this.gpu.count()]);
  }

  async unload(key: string): Promise<void> {
    this.placements.delete(key);
    await Promise.all([this.cpu.unload(key), this.gpu.unload(key)]);
  }

  /**
   * @throws ThreadLostError when the thread or its provider was lost under the job, ModelRunError when the model failed or no
   *   provider is left for it, RangeError without an idle thread
   */
  async run(job: Job): Promise<JobResult> {
    const placement = this.placements.get(job.key);
    if (placement?.failure) throw placement.failure;
    const thread = placement?.isReady ? this.groupOf(placement, job.program).idleThread() : undefined;
    if (!placement || !thread)
      throw new RangeError('no thread is idle for the job; ask hasIdleThreadFor first');
    try {
      return await thread.run(job);
    } catch (error) {
      if (error instanceof ProviderLostError) this.leaveProvider(placement, error);
      throw error;
    } finally {
      this.onIdle();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.cpu.close(), this.gpu.close()]);
  }

  private groupOf({ home }: Placement, program: Program): ThreadGroup {
    return home === 'gpu' && program !== 'explain' ? this.gpu : this.cpu;
  }

  /** Opens the model on the first provider of the plan that can. */
  private async place(placement: Placement, plan: ProviderPlan): Promise<OpenedSession> {
    const attempts: ProviderAttempt[] = [];
    if (gpuProviders(plan).length > 0) {
      placement.home = 'gpu';
      const opened = await this.openOnGpu(placement, plan, attempts);
      if (opened) return opened;
    }
    if (!plan.providers.includes('cpu')) throw new NoProviderError(attempts);
    placement.home = 'cpu';
    return this.openOnCpu(placement, attempts);
  }

  /** @returns null when no GPU provider takes the model; the attempts say why */
  private async openOnGpu(
    { model }: Placement,
    plan: ProviderPlan,
    attempts: ProviderAttempt[],
  ): Promise<OpenedSession | null> {
    const opened: OpenedSession[] = [];
    try {
      await this.gpu.start();
      for (const thread of this.gpu.list()) opened.push(await loadOnGpu(thread, model, plan));
    } catch (error) {
      attempts.push(...attemptsOf(error, plan));
      return null;
    }
    const [first] = opened;
    if (!first) {
      attempts.push(...attemptsOf(new ThreadLostError('it is being replaced'), plan));
      return null;
    }
    if (model.explainer !== null) {
      for (const thread of this.cpu.list()) await openCpuSession(thread, model, []);
    }
    return first;
  }

  private async openOnCpu({ model }: Placement, attempts: ProviderAttempt[]): Promise<OpenedSession> {
    let first: OpenedSession | null = null;
    let memoryBytes = 0;
    for (const thread of this.cpu.list()) {
      const opened = await openCpuSession(thread, model, attempts);
      first ??= opened;
      memoryBytes += opened.memoryBytes;
    }
    if (!first) throw new ModelRunError('no inference thread is there to load the model');
    return { ...first, attempts, memoryBytes };
  }

  private async prepareCpu(thread: SessionThread): Promise<void> {
    for (const { home, model } of this.placements.values()) {
      if (home === 'cpu' || model.explainer !== null) await openCpuSession(thread, model, []);
    }
  }

  /** A model that no GPU provider takes again after its thread was lost moves on. */
  private async prepareGpu(thread: SessionThread): Promise<void> {
    for (const placement of this.placements.values()) {
      if (placement.home !== 'gpu' || !placement.opened) continue;
      try {
        await loadOnGpu(thread, placement.model, {
          ...placement.plan,
          providers: [placement.opened.provider],
        });
      } catch (error) {
        if (!(error instanceof NoProviderError)) throw error;
        this.leaveProvider(placement, new ProviderLostError(placement.opened.provider, error.message));
      }
    }
  }

  /** Moves a model to what its plan has behind the provider that was lost; no job of it is taken meanwhile. */
  private leaveProvider(placement: Placement, { provider: lost, message: failure }: ProviderLostError): void {
    const { opened } = placement;
    if (!opened || !placement.isReady || opened.provider !== lost) return;
    placement.isReady = false;
    void this.moveOn(placement, opened, { provider: lost, failure });
  }

  /** Never rejects: a model that finds no place fails its jobs at once from then on. */
  private async moveOn(placement: Placement, opened: OpenedSession, lost: ProviderAttempt): Promise<void> {
    const { model, plan } = placement;
    const rest = { ...plan, providers: plan.providers.slice(plan.providers.indexOf(lost.provider) + 1) };
    const attempts = [lost];
    try {
      await this.gpu.unload(model.key);
      const next = await this.place(placement, rest);
      attempts.push(...next.attempts);
      opened.attempts = [...opened.attempts, ...attempts];
      opened.provider = next.provider;
    } catch (error) {
      placement.failure = new ModelRunError(`no provider is left for the model: ${failureText(error)}`);
    }
    placement.isReady = true;
    const now = placement.failure ? null : opened.provider;
    this.report(model.key, 'run', { attempts, now });
    this.onIdle();
  }

  private report(
    key: string,
    during: ProviderFailure['during'],
    { attempts, now }: { attempts: readonly ProviderAttempt[]; now: Provider | null },
  ): void {
    for (const attempt of attempts) this.options.onProviderFailed?.({ key, during, now, ...attempt });
  }
}

/** What each provider of the GPU is to blame for when none of them took a model. @throws what is no fault of theirs */
function attemptsOf(error: unknown, plan: ProviderPlan): readonly ProviderAttempt[] {
  if (error instanceof NoProviderError) return error.attempts;
  if (!(error instanceof ThreadLostError)) throw error;
  return gpuProviders(plan).map((provider) => ({ provider, failure: `its thread: ${error.message}` }));
}
