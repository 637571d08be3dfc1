import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchJobs, ClaimedBatch } from '@sextant/batch-scoring';
import type { Logger } from 'pino';

/** Room for the pages in hand, so that their states are not moved about while they live. */
const YOUNG_GENERATION = '--max-semi-space-size=64';

/** Takes batch jobs off the queue, one at a time, and scores each in a process of its own. */
export class BatchRunner {
  private readonly stopping = new AbortController();

  constructor(
    private readonly jobs: BatchJobs,
    private readonly settings: { pollMs: number; processPath: string; logger: Logger },
  ) {}

  /** Works until {@link stop}; a store that is away is waited for. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const claimed = await this.jobs.claim().catch((error: unknown) => this.missed(error));
      if (claimed) await this.score(claimed).catch((error: unknown) => this.missed(error));
      else await sleep(this.settings.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The job in hand goes back to the queue, with its checkpoint. */
  stop(): void {
    this.stopping.abort();
  }

  private missed(error: unknown): null {
    this.settings.logger.error({ err: error }, 'the queue of batch jobs could not be used');
    return null;
  }

  private async score(claimed: ClaimedBatch): Promise<void> {
    const { logger, processPath } = this.settings;
    const { id, task, tenantId } = claimed.job;
    logger.info({ job: id, task, tenantId, from: claimed.cursor }, 'batch scoring starts');
    const child = fork(processPath, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, YOUNG_GENERATION],
    });
    const stop = (): void => void child.kill('SIGTERM');
    this.stopping.signal.addEventListener('abort', stop, { once: true });
    let end: unknown = null;
    child.once('message', (message) => (end = message));
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    child.send(claimed);
    if (this.stopping.signal.aborted) stop();
    const how = await ended;
    this.stopping.signal.removeEventListener('abort', stop);
    logger.info({ job: id, end: end ?? how }, 'batch scoring ended');
    // Without a word it died: nobody need wait for the lease to run out.
    if (end === null) await this.jobs.release(claimed.lease, { isOrderly: this.stopping.signal.aborted });
  }
}
