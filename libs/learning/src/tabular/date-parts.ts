import type { ColumnEncoding } from '@sextant/artefacts';

export type DateEncoding = Extract<ColumnEncoding, { kind: 'date' }>;
export type DateFormat = DateEncoding['format'];
export type DatePart = DateEncoding['parts'][number]['part'];

const DAY_MS = 86_400_000;
const YEAR_DAYS = 365.2425;
const ISO =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/;
const DAY_OR_MONTH_FIRST = /^(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/;
/** Share of a column's different texts that must be dates of one format. */
const MIN_SHARE = 0.95;
const MIN_DISTINCT = 3;

/**
 * Milliseconds since 1970 of a date or date-time, UTC unless the text names an offset.
 *
 * @returns NaN for a text that is no such date, e.g. 2026-02-30
 */
export function parseDate(text: string, format: DateFormat): number {
  const match = (format === 'iso' ? ISO : DAY_OR_MONTH_FIRST).exec(text.trim());
  if (match === null) return Number.NaN;
  const [first, second, third, hour, minute, seconds] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const year = format === 'iso' ? first : third;
  const month = format === 'month-first' ? first : second;
  const day = format === 'iso' ? third : format === 'day-first' ? first : second;
  const time = [hour ?? 0, minute ?? 0, seconds ?? 0] as const;
  const at = Date.UTC(year ?? 0, (month ?? 0) - 1, day ?? 0, ...time);
  const read = new Date(at);
  const isReal =
    read.getUTCMonth() + 1 === month && read.getUTCDate() === day && read.getUTCHours() === time[0];
  return isReal ? at - offsetMs(match[7]) : Number.NaN;
}

/**
 * The format in which nearly all of the texts are dates; null where there is none. 03/04/2026 alone says neither day first nor month
 * first, and a column of such texts only is no date; with dots the day comes first.
 */
export function dateFormatOf(texts: readonly string[]): DateFormat | null {
  const present = texts.filter((text) => text.trim() !== '');
  if (present.length < MIN_DISTINCT) return null;
  const fits = (format: DateFormat): boolean =>
    present.filter((text) => !Number.isNaN(parseDate(text, format))).length >= MIN_SHARE * present.length;
  if (fits('iso')) return 'iso';
  const [dayFirst, monthFirst] = [fits('day-first'), fits('month-first')];
  if (dayFirst && monthFirst) return present.every((text) => text.includes('.')) ? 'day-first' : null;
  if (dayFirst) return 'day-first';
  return monthFirst ? 'month-first' : null;
}

/** One number of an instant. Days count from 1970, months 1–12, weekdays 0 = Sunday to 6; the circles have radius 1. */
export function datePart(part: DatePart, at: number): number {
  if (Number.isNaN(at)) return Number.NaN;
  const date = new Date(at);
  const days = at / DAY_MS;
  const angle = 2 * Math.PI * (part.startsWith('year') ? days / YEAR_DAYS : date.getUTCDay() / 7);
  switch (part) {
    case 'day':
      return Math.floor(days);
    case 'month':
      return date.getUTCMonth() + 1;
    case 'weekday':
      return date.getUTCDay();
    case 'hour':
      return date.getUTCHours();
    case 'year-sine':
    case 'week-sine':
      return Math.sin(angle);
    default:
      return Math.cos(angle);
  }
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  return (zone.startsWith('-') ? -1 : 1) * (60 * hours + minutes) * 60_000;
}
