import { Counter, Gauge, type Registry } from 'prom-client';

/** What operators see of ingestion and folding. */
export class CustomerMetrics {
  private readonly events: Counter<'tenant' | 'outcome'>;
  private readonly unknownTypes: Counter<'tenant'>;
  private readonly outboxSize: Gauge;
  private oldestWaitingMs: () => number = () => 0;

  constructor(registry: Registry) {
    const registers = [registry];
    this.events = new Counter({
      name: 'sextant_ingested_events_total',
      help: 'events by what became of them: accepted, duplicate, rejected',
      labelNames: ['tenant', 'outcome'],
      registers,
    });
    this.unknownTypes = new Counter({
      name: 'sextant_ingested_unknown_type_events_total',
      help: 'accepted events of a type without a meaning for the models',
      labelNames: ['tenant'],
      registers,
    });
    this.outboxSize = new Gauge({
      name: 'sextant_fold_outbox_batches',
      help: 'batches that are stored and not folded yet, as of the last look',
      registers,
    });
    const lag: Gauge = new Gauge({
      name: 'sextant_fold_lag_seconds',
      help: 'age of the oldest batch that waits in this process to be folded',
      registers,
      collect: () => {
        lag.set(this.oldestWaitingMs() / 1_000);
      },
    });
  }

  countEvents(
    tenantId: string,
    counts: { accepted: number; duplicate: number; rejected: number; unknown: number },
  ): void {
    for (const outcome of ['accepted', 'duplicate', 'rejected'] as const) {
      this.events.inc({ tenant: tenantId, outcome }, counts[outcome]);
    }
    if (counts.unknown > 0) this.unknownTypes.inc({ tenant: tenantId }, counts.unknown);
  }

  setOutboxSize(batches: number): void {
    this.outboxSize.set(batches);
  }

  /** @param oldestWaitingMs  asked at each scrape */
  watchLag(oldestWaitingMs: () => number): void {
    this.oldestWaitingMs = oldestWaitingMs;
  }
}
