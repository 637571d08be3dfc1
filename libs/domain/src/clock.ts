/** The one source of "now", so that tests can hold time still. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/**
 * Whether a text that begins with `yyyy-MM-dd` names a day that is in the calendar: JavaScript takes 30 February for 2 March. Only the
 * last days of a month need a look.
 */
export function isCalendarDay(text: string): boolean {
  const day = text.slice(0, 10);
  if (day.slice(8) <= '28') return true;
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
