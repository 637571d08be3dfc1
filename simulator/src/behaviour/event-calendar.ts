import { customerRef, DAY_MS } from '../company-plan.js';

/** An event whose id is given when its day is written. */
export interface PendingEvent {
  atMs: number;
  type: string;
  /** All of the JSON line after the time. */
  rest: string;
}

/** Events of days to come; what falls after the period is dropped, since nobody has seen it yet. */
export class EventCalendar {
  private readonly days = new Map<number, PendingEvent[]>();

  constructor(
    private readonly startMs: number,
    private readonly dayCount: number,
  ) {}

  /** @param customer  index of the customer, or null for an event of the company itself */
  add(
    atMs: number,
    type: string,
    customer: number | null,
    properties: Readonly<Record<string, unknown>>,
  ): void {
    const day = Math.floor((atMs - this.startMs) / DAY_MS);
    if (day < 0 || day >= this.dayCount) return;
    const who = customer === null ? '' : `"customerRef":"${customerRef(customer)}",`;
    const event = { atMs, type, rest: `${who}"properties":${JSON.stringify(properties)}}\n` };
    const events = this.days.get(day);
    if (events) events.push(event);
    else this.days.set(day, [event]);
  }

  /** All events of a day by time, those of one instant in the order of adding; forgets them. */
  take(day: number): PendingEvent[] {
    const events = this.days.get(day) ?? [];
    this.days.delete(day);
    return events.sort((a, b) => a.atMs - b.atMs);
  }
}
