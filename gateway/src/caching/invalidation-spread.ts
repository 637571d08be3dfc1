import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { AnswerCache } from './answer-cache.js';
import type { CacheMetrics } from './cache-metrics.js';
import type { InvalidationLog } from './invalidation-log.js';

/** Tenants whose invalidations may wait for the store; those of further ones reach other gateways by age. */
const MOST_WAITING = 10_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** Of a mark: it is about no tenant. */
const NOBODY = '';

export interface SpreadOptions {
  log: InvalidationLog;
  cache: Pick<AnswerCache, 'invalidate' | 'forgetAll'>;
  metrics: Pick<CacheMetrics, 'heard' | 'spreadFailed' | 'hears'>;
  /** told when the first of some failures happens */
  onProblem(error: unknown): void;
}

/**
 * Tells other gateways what was invalidated here, and invalidates here what they tell. While the store does not answer, entries go by
 * their age; when it answers again, what was kept meanwhile is forgotten.
 */
export class InvalidationSpread {
  private readonly self = randomUUID();
  private readonly waiting = new Map<string, Set<string>>();
  private readonly ending = new AbortController();
  private hearing: Promise<void> | null = null;
  private telling: Promise<void> | null = null;

  constructor(private readonly options: SpreadOptions) {}

  /** Listens from now on until `close`. */
  start(): void {
    this.hearing ??= this.hear();
  }

  /** Goes to the others in the background; what comes meanwhile is told together. */
  tell(tenantId: string, types: readonly string[]): void {
    const known = this.waiting.get(tenantId);
    if (!known && this.waiting.size >= MOST_WAITING) return this.options.metrics.spreadFailed('write');
    this.waiting.set(tenantId, new Set([...(known ?? []), ...types]));
    this.telling ??= this.tellAll().finally(() => (this.telling = null));
  }

  /** What waits is told once more, if the store takes it. */
  async close(): Promise<void> {
    this.ending.abort();
    await Promise.all([this.telling, this.hearing]);
  }

  private async tellAll(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (this.waiting.size > 0) {
      const batch = [...this.waiting];
      this.waiting.clear();
      try {
        const { self: gateway } = this;
        await this.options.log.write(
          batch.map(([tenantId, types]) => ({ tenantId, types: [...types], gateway })),
        );
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        this.options.metrics.spreadFailed('write');
        if (retryMs === FIRST_RETRY_MS) this.options.onProblem(error);
        if (this.isEnding) return;
        for (const [tenantId, types] of batch)
          this.waiting.set(tenantId, new Set([...types, ...(this.waiting.get(tenantId) ?? [])]));
        await this.pause(retryMs);
        retryMs = Math.min(LONGEST_RETRY_MS, 2 * retryMs);
      }
    }
  }

  private async hear(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.isEnding) {
      try {
        await this.hearOnce(() => (retryMs = FIRST_RETRY_MS));
      } catch (error) {
        if (this.isEnding) return;
        this.options.metrics.spreadFailed('read');
        if (retryMs === FIRST_RETRY_MS) this.options.onProblem(error);
      } finally {
        this.options.metrics.hears(false);
      }
      await this.pause(retryMs);
      retryMs = Math.min(LONGEST_RETRY_MS, 2 * retryMs);
    }
  }

  /** Writes a mark; from the place of the mark on nothing that is told is missed, so what was kept before it is forgotten there. */
  private async hearOnce(onHearing: () => void): Promise<void> {
    const { log, cache, metrics } = this.options;
    await log.ensureCollection();
    const mark = randomUUID();
    await log.write([{ tenantId: NOBODY, types: [], gateway: mark }]);
    let isHearing = false;
    for await (const { gateway, tenantId, types } of log.read(this.ending.signal)) {
      if (gateway === mark) {
        isHearing = true;
        cache.forgetAll();
        metrics.hears(true);
        onHearing();
      } else if (isHearing && gateway !== this.self && tenantId !== NOBODY) {
        cache.invalidate(tenantId, types);
        metrics.heard(types.length);
      }
    }
    throw new Error('the place in the log of invalidations was lost');
  }

  private get isEnding(): boolean {
    return this.ending.signal.aborted;
  }

  private async pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}
