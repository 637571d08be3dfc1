import { once } from 'node:events';
import type { Transferable, Worker } from 'node:worker_threads';
import type { HourCounts } from '../monitoring/hour-counts.js';
import { NoProviderError, type Provider, type ProviderPlan } from './providers.js';
import type {
  Job,
  JobResult,
  LoadedModel,
  OpenedSession,
  ThreadAnswer,
  ThreadCommand,
} from './thread-messages.js';

/** The thread ended before it answered; the work may be done again elsewhere. */
export class ThreadLostError extends Error {
  override readonly name: string = 'ThreadLostError';
}

/** The provider under the thread's session runs nothing any more (a lost GPU); the work may be done again elsewhere. */
export class ProviderLostError extends ThreadLostError {
  override readonly name = 'ProviderLostError';

  constructor(
    readonly provider: Provider,
    message: string,
  ) {
    super(message);
  }
}

/** The thread answered that the model itself failed; doing it again would fail again. */
export class ModelRunError extends Error {
  override readonly name = 'ModelRunError';
}

interface Waiting {
  resolve(answer: ThreadAnswer): void;
  reject(error: Error): void;
}

export interface ThreadListener {
  /** called once when the thread ends without having been asked to */
  onLost(thread: SessionThread, cause: Error): void;
  /** what it counted of the decisions since the last time */
  onCounts(counts: readonly HourCounts[]): void;
}

/** The main thread's end of one worker thread: requests in, answers out, in order. */
export class SessionThread {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private stopping = false;
  private hasPrepared = false;

  constructor(
    private readonly worker: Worker,
    private readonly listener: ThreadListener,
  ) {
    let cause: Error | undefined;
    worker.on('message', (answer: ThreadAnswer) => this.settle(answer));
    worker.on('error', (error) => (cause = error instanceof Error ? error : new Error(String(error))));
    worker.once('exit', (code) =>
      this.end(new ThreadLostError(`inference thread ended with code ${code}`, { cause })),
    );
  }

  /** Whether it ever finished its preparation. */
  get isReady(): boolean {
    return this.hasPrepared;
  }

  /** Ready for a batch: every model is loaded and nothing runs. */
  get isIdle(): boolean {
    return this.hasPrepared && !this.stopping && this.waiting.size === 0;
  }

  /** Says that it holds what a fresh thread must hold before it takes batches. @throws ThreadLostError when it was stopped since */
  markReady(): void {
    if (this.stopping) throw new ThreadLostError('inference thread is stopped');
    this.hasPrepared = true;
  }

  /** @throws NoProviderError, ModelRunError for a bad explainer, ThreadLostError */
  async load(model: LoadedModel, plan: ProviderPlan): Promise<OpenedSession> {
    const answer = await this.send({ kind: 'load', model, plan });
    if ('opened' in answer) return answer.opened;
    throw new ModelRunError('the thread answered a load with something else');
  }

  async unload(key: string): Promise<void> {
    await this.send({ kind: 'unload', key });
  }

  /** Makes it hand over what it counted. */
  async count(): Promise<void> {
    await this.send({ kind: 'count' });
  }

  /** The job's input buffers are handed over and empty afterwards; they come back with the result. */
  async run(job: Job): Promise<JobResult> {
    const transfer = job.inputs.flatMap(({ data }) => (Array.isArray(data) ? [] : [data.buffer]));
    const answer = await this.send({ kind: 'run', job }, transfer);
    if ('result' in answer) return answer.result;
    throw new ModelRunError('the thread answered a job with something else');
  }

  /**
   * Lets running work finish, then ends the thread; ends it hard after `graceMs`. In the middle of a run that ends the process too, with
   * SIGABRT: the binding (onnxruntime-node 1.30) does not survive that its thread is taken away.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.stopping) return;
    const exited = once(this.worker, 'exit');
    const asked = this.send({ kind: 'stop' }).catch(() => undefined);
    this.stopping = true;
    const timer = setTimeout(() => void this.worker.terminate(), graceMs);
    await asked;
    await exited;
    clearTimeout(timer);
  }

  private send(command: ThreadCommand, transfer: Transferable[] = []): Promise<ThreadAnswer> {
    if (this.stopping) return Promise.reject(new ThreadLostError('inference thread is stopped'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...command }, transfer);
    });
  }

  private settle(answer: ThreadAnswer): void {
    const waiting = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ('counts' in answer && answer.counts && answer.counts.length > 0)
      this.listener.onCounts(answer.counts);
    if ('refused' in answer) waiting?.reject(new NoProviderError(answer.refused));
    else if ('failure' in answer) waiting?.reject(asError(answer));
    else waiting?.resolve(answer);
  }

  private end(error: ThreadLostError): void {
    const wasStopping = this.stopping;
    this.stopping = true;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    if (!wasStopping) this.listener.onLost(this, error);
  }
}

function asError({ failure, lost }: { failure: string; lost?: Provider }): Error {
  return lost === undefined ? new ModelRunError(failure) : new ProviderLostError(lost, failure);
}
