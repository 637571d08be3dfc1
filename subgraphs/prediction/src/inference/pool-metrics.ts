import type {
  AttemptEnd,
  AttemptKind,
  BreakerReason,
  BreakerState,
  PoolObserver,
  WorkerPool,
} from '@sextant/inference-protocol';
import type { Logger } from '@sextant/platform';
import { Counter, Gauge, type Registry } from 'prom-client';

const KINDS: readonly AttemptKind[] = ['first', 'retry', 'hedge'];
const STATES = ['closed', 'open', 'half-open'] as const;
const ENDPOINT_STATES = ['ready', 'left-out', 'not-serving', 'connecting', 'down'] as const;

/** What the pool of workers did, counted as it happens and put into words when metrics are read; changes go to the log. */
export class PoolMetrics implements PoolObserver {
  private readonly attempts: Readonly<Record<AttemptKind, Map<string, number>>> = {
    first: new Map(),
    retry: new Map(),
    hedge: new Map(),
  };
  private hedgesWon = 0;
  private readonly spent = { retry: 0, hedge: 0 };
  private readonly opened: Record<BreakerReason, number> = { silent: 0, sick: 0 };
  private failedLookUps = 0;
  private isFindable = true;

  constructor(
    private readonly registry: Registry,
    private readonly logger: Logger,
  ) {
    this.exposeAttempts();
    this.expose({ name: 'sextant_inference_hedges_won_total', help: 'hedges that answered first' }, () => ({
      '': this.hedgesWon,
    }));
    this.expose(
      { name: 'sextant_inference_lookup_failures_total', help: 'look-ups of worker addresses that failed' },
      () => ({ '': this.failedLookUps }),
    );
    this.expose(
      {
        name: 'sextant_inference_budget_spent_total',
        help: 'second attempts that the budget refused',
        label: 'wanted',
      },
      () => this.spent,
    );
    this.expose(
      {
        name: 'sextant_inference_breaker_opened_total',
        help: 'workers left out, by reason',
        label: 'reason',
      },
      () => this.opened,
    );
  }

  /** Gauges of the pool's state, once it is there. */
  watch(pool: WorkerPool): void {
    new Gauge({
      name: 'sextant_inference_breaker_state',
      help: '1 for what the pool does with a call: closed asks a worker, open refuses it at once, half-open waits for a probe',
      labelNames: ['state'],
      registers: [this.registry],
      collect() {
        for (const state of STATES) this.set({ state }, state === pool.state ? 1 : 0);
      },
    });
    new Gauge({
      name: 'sextant_inference_endpoints',
      help: 'workers by state: ready, left-out (breaker), not-serving (by its own word), connecting, down',
      labelNames: ['state'],
      registers: [this.registry],
      collect() {
        const states = pool.list().map(stateOf);
        for (const state of ENDPOINT_STATES)
          this.set({ state }, states.filter((one) => one === state).length);
      },
    });
  }

  attemptFinished({ kind, status }: AttemptEnd): void {
    const counts = this.attempts[kind];
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }

  hedgeWon(): void {
    this.hedgesWon += 1;
  }

  budgetSpent(wanted: 'retry' | 'hedge'): void {
    this.spent[wanted] += 1;
  }

  breakerChanged(endpoint: string, state: BreakerState, reason: BreakerReason | undefined): void {
    if (state === 'open' && reason) this.opened[reason] += 1;
    if (state !== 'half-open')
      this.logger.warn({ endpoint, state, reason }, 'inference worker left out or back');
  }

  endpointsChanged(endpoints: readonly string[]): void {
    this.isFindable = true;
    this.logger.info({ endpoints }, 'inference workers');
  }

  discoveryFailed(error: Error): void {
    this.failedLookUps += 1;
    if (this.isFindable) this.logger.warn({ err: error }, 'inference workers cannot be looked up');
    this.isFindable = false;
  }

  private exposeAttempts(): void {
    const { attempts } = this;
    new Counter({
      name: 'sextant_inference_attempts_total',
      help: 'attempts at calls to workers, by kind (first, retry, hedge) and gRPC status',
      labelNames: ['kind', 'status'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const kind of KINDS)
          for (const [status, count] of attempts[kind]) this.inc({ kind, status }, count);
      },
    });
  }

  private expose(
    { name, help, label }: { name: string; help: string; label?: string },
    read: () => Readonly<Record<string, number>>,
  ): void {
    new Counter({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) {
          if (label === undefined) this.inc(count);
          else this.inc({ [label]: value }, count);
        }
      },
    });
  }
}

function stateOf({
  state,
  breaker,
  isServing,
}: ReturnType<WorkerPool['list']>[number]): (typeof ENDPOINT_STATES)[number] {
  if (state !== 'ready') return state;
  if (!isServing) return 'not-serving';
  return breaker === 'closed' ? 'ready' : 'left-out';
}
