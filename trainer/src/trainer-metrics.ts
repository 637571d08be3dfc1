import { STOP_REASONS } from './continuous/challenger-guard.js';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** What `/metrics` of a trainer says. Names: docs/reference/metrics.md. */
export class TrainerMetrics {
  readonly registry = new Registry();
  private readonly lastRound: Gauge;
  private roundEndedMs = Date.now();

  readonly leader = this.gauge({
    name: 'sextant_continuous_leader',
    help: '1 where this trainer follows the policies; over all trainers 1',
  });
  readonly rounds = this.counter({
    name: 'sextant_continuous_rounds_total',
    help: 'looks at policies and challengers; outcome is ok or failed',
    labelNames: ['outcome'],
  });
  readonly trainings = this.counter({
    name: 'sextant_continuous_trainings_total',
    help: 'training jobs that nobody but a policy asked for, by trigger',
    labelNames: ['trigger'],
  });
  readonly moves = this.counter({
    name: 'sextant_continuous_moves_total',
    help: 'versions that a policy moved, by the stage they came to',
    labelNames: ['stage'],
  });
  readonly stops = this.counter({
    name: 'sextant_continuous_stops_total',
    help: 'challengers that were taken out of traffic, by reason',
    labelNames: ['reason'],
  });
  readonly removedVersions = this.counter({
    name: 'sextant_continuous_removed_versions_total',
    help: 'versions whose files were removed from the repository by the keep rule',
  });
  readonly budgetUsed = this.gauge({
    name: 'sextant_training_budget_used_minutes',
    help: 'minutes of training in the last 24 hours, of tenants that have a limit',
    labelNames: ['tenant'],
  });

  /** @param countJobs  jobs by state, read at every scrape; those that ended count for a day */
  constructor(countJobs: () => Promise<ReadonlyMap<string, number>>) {
    collectDefaultMetrics({ register: this.registry });
    this.lastRound = this.gauge({
      name: 'sextant_continuous_round_age_seconds',
      help: 'time since the last look at policies and challengers ended',
      collect: () => this.lastRound.set((Date.now() - this.roundEndedMs) / 1000),
    });
    // Prometheus sees no rise of a counter that begins at one.
    for (const outcome of ['ok', 'failed']) this.rounds.inc({ outcome }, 0);
    for (const reason of STOP_REASONS) this.stops.inc({ reason }, 0);
    const jobs = this.gauge({
      name: 'sextant_training_jobs',
      help: 'training jobs by state; those that ended count for a day',
      labelNames: ['state'],
      collect: async () => {
        const counts = await countJobs().catch(() => null);
        jobs.reset();
        for (const [state, count] of counts ?? []) jobs.set({ state }, count);
      },
    });
  }

  roundEnded(outcome: 'ok' | 'failed'): void {
    this.roundEndedMs = Date.now();
    this.rounds.inc({ outcome });
  }

  private gauge(options: ConstructorParameters<typeof Gauge>[0]): Gauge {
    return new Gauge({ ...options, registers: [this.registry] });
  }

  private counter(options: ConstructorParameters<typeof Counter>[0]): Counter {
    return new Counter({ ...options, registers: [this.registry] });
  }
}
