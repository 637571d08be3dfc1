import { DAY_MS } from '../company-plan.js';
import { AliasTable } from '../random/alias-table.js';
import type { RandomStream } from '../random/random-stream.js';

const HOUR_MS = 60 * 60 * 1000;

/** Shop sessions by hour of the day (UTC): little at night, a peak in the evening. */
const SHOP_HOURS = new AliasTable([
  8, 5, 3, 2, 2, 4, 10, 22, 34, 42, 46, 48, 52, 50, 46, 44, 48, 56, 68, 82, 90, 74, 44, 20,
]);
/** Forms and sales by hour: office hours. */
const OFFICE_HOURS = new AliasTable([
  1, 1, 1, 1, 1, 2, 6, 20, 48, 70, 80, 66, 40, 62, 72, 66, 46, 22, 8, 5, 4, 3, 2, 1,
]);

/** Sessions by weekday, Sunday first, mean 1. */
const SHOP_WEEKDAYS = [1.24, 0.92, 0.86, 0.88, 0.92, 0.98, 1.2] as const;
/** Lead forms by weekday, Sunday first, mean 1. */
const OFFICE_WEEKDAYS = [0.25, 1.32, 1.4, 1.36, 1.32, 1.1, 0.25] as const;

export function weekday(dayStartMs: number): number {
  return new Date(dayStartMs).getUTCDay();
}

/** Factor on shop sessions: the weekday, and a gentle wave over the year that is highest in December. */
export function shopSeason(dayStartMs: number): number {
  const yearPhase = (dayStartMs / DAY_MS / 365.25) * 2 * Math.PI;
  return (SHOP_WEEKDAYS[weekday(dayStartMs)] ?? 1) * (1 + 0.12 * Math.cos(yearPhase));
}

export function officeSeason(dayStartMs: number): number {
  return OFFICE_WEEKDAYS[weekday(dayStartMs)] ?? 1;
}

/** Milliseconds after midnight at which a session starts. */
export function drawShopTime(random: RandomStream): number {
  return Math.floor((SHOP_HOURS.draw(random) + random.next()) * HOUR_MS);
}

export function drawOfficeTime(random: RandomStream): number {
  return Math.floor((OFFICE_HOURS.draw(random) + random.next()) * HOUR_MS);
}
