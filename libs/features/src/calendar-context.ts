import { DAY_MS } from './decayed-counter.js';

export type DemandContext = Record<string, number | string | null>;

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** Calendar features of a day (UTC) for demand: known in advance, the same in training and at the time of a quote. */
export function calendarContext(at: Date): DemandContext {
  const startOfYear = Date.UTC(at.getUTCFullYear(), 0, 1);
  return {
    weekday: WEEKDAYS[at.getUTCDay()] ?? null,
    month: at.getUTCMonth() + 1,
    week: Math.floor((at.getTime() - startOfYear) / DAY_MS / 7) + 1,
  };
}
