import { type Clock, systemClock } from '@sextant/domain';
import type { EventHistory } from '@sextant/features';
import type { ContinuousStates } from './continuous-states.repository.js';

/** Counting takes about a second a million events. */
const COUNT_EVERY_MS = 60_000;

/** How many events of a tenant came since its model was trained last, late ones included. */
export class EventVolume {
  private readonly counted = new Map<string, { atMs: number; events: number }>();

  constructor(
    private readonly history: Pick<EventHistory, 'count'>,
    private readonly states: ContinuousStates,
    private readonly clock: Clock = systemClock,
    private readonly countEveryMs = COUNT_EVERY_MS,
  ) {}

  /** @param base  when the last training began */
  async since(of: { tenantId: string; model: string }, base: Date): Promise<number> {
    const { tenantId, model } = of;
    const { eventBase } = await this.states.find(tenantId, model);
    const total = await this.total(tenantId);
    if (eventBase?.at.getTime() === base.getTime()) return Math.max(0, total - eventBase.events);
    // Seen for the first time: what is dated before the training was there then, as far as one can tell.
    const events = eventBase === null ? await this.history.count(tenantId, { until: base }) : total;
    await this.states.change({ tenantId, model }, { eventBase: { at: base, events } });
    return Math.max(0, total - events);
  }

  private async total(tenantId: string): Promise<number> {
    const nowMs = this.clock.now().getTime();
    const known = this.counted.get(tenantId);
    if (known && nowMs - known.atMs < this.countEveryMs) return known.events;
    const events = await this.history.count(tenantId);
    this.counted.set(tenantId, { atMs: nowMs, events });
    return events;
  }
}
