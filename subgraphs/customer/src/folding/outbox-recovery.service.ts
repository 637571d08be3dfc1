import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import { BatchRecovery } from './batch-recovery.service.js';

/** At start and from time to time: folds the batches that a dead process, or a full memory, left in the outbox. */
@Injectable()
export class OutboxRecovery implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly recovery: BatchRecovery,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.look();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async look(): Promise<void> {
    const { clock, logger, metrics, foldingTimes } = this.surroundings;
    try {
      const before = new Date(clock.now().getTime() - foldingTimes.recoveryAgeMs);
      let recovered: number;
      do {
        recovered = await this.recovery.recoverSome(before);
        if (recovered > 0) logger.info({ batches: recovered }, 'folded batches that were left in the outbox');
      } while (recovered > 0 && !this.stopped);
      metrics.setOutboxSize(await this.recovery.outboxSize());
    } catch (error) {
      logger.warn({ err: error }, 'the outbox could not be recovered; it is tried again');
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.look();
    }, foldingTimes.recoveryIntervalMs);
  }
}
