import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelLifecycle } from '@sextant/model-registry';
import type { Logger } from 'pino';

const ROUND_MS = 5_000;

/**
 * Ends changes of stages that a dead process left half done, here or in the prediction subgraph: at once when the trainer starts, and every
 * five seconds from then on, so that the repository and the records never disagree for longer than a lease and a round.
 */
export class RecoveryRounds {
  private readonly stopping = new AbortController();

  constructor(
    private readonly lifecycle: ModelLifecycle,
    private readonly logger: Logger,
    private readonly roundMs = ROUND_MS,
  ) {}

  /** Works until {@link stop}; a store that is away is waited for. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.lifecycle.recover().catch((error: unknown) => {
        this.logger.error({ err: error }, 'a change of a model could not be brought to its end; tried again');
      });
      await sleep(this.roundMs, undefined, { signal }).catch(() => undefined);
    }
  }

  stop(): void {
    this.stopping.abort();
  }
}
