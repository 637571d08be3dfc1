import { DomainError } from '@sextant/domain';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import type { CallContext } from '../transport/call-context.js';

/** Calls that may wait for the first look at the repository; more are told to come again. */
const MAX_WAITING = 1_024;
const LOOK_EVERY_MS = 20;

interface Waiting {
  isReachable(): boolean;
  context: CallContext;
  done(): void;
  fail(error: unknown): void;
}

/**
 * Calls for models that a starting worker has not opened yet. A client without health checks sends its calls as soon as the port
 * is open, so they wait here, within their deadlines, instead of failing while a deployment rolls over.
 */
export class StartQueue {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly lifecycle: WorkerLifecycle) {
    const unsubscribe = lifecycle.onChange(() => {
      this.look();
      unsubscribe();
    });
  }

  /** Whether a model that is missing may still come. */
  get isOpen(): boolean {
    return this.lifecycle.state === 'starting';
  }

  /**
   * Resolves when the model is there, or when all that the repository holds is.
   *
   * @throws DomainError INFERENCE_UNAVAILABLE when the call's time passes before, or too many wait
   */
  wait(isReachable: () => boolean, context: CallContext): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size >= MAX_WAITING) return reject(stillLoading());
      this.waiting.add({ isReachable, context, done: resolve, fail: reject });
      this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    });
  }

  private look(): void {
    for (const call of this.waiting) {
      const isOver = call.context.isCancelled || Date.now() >= call.context.deadline;
      if (this.isOpen && !isOver && !call.isReachable()) continue;
      this.waiting.delete(call);
      if (isOver || this.lifecycle.state === 'draining') call.fail(stillLoading());
      else call.done();
    }
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function stillLoading(): DomainError {
  return new DomainError('INFERENCE_UNAVAILABLE', 'the worker is loading its models; try again shortly');
}
