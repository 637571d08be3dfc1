import { DomainError } from '@sextant/domain';

const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_FIRST = /^(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?:[T ].*)?$/;
const YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,].*)?$/;

/**
 * Days since 1970-01-01 of a column of dates: `2026-01-31`, `20260131`, `2026/1/31`, `31.01.2026` or `1/31/2026`, each with or
 * without a time of day, which is cut off. Which of day and month comes first is read from the whole column; where every
 * row could be either, a dot means day first, anything else month first.
 *
 * @throws DomainError INVALID_INPUT naming the first cell that is no date
 */
export function calendarDays(texts: readonly string[], column: string): Int32Array {
  const dayFirst = isDayFirst(texts);
  return Int32Array.from(texts, (text, row) => {
    const day = dayOf(text, dayFirst);
    if (day === null) {
      throw new DomainError(
        'INVALID_INPUT',
        `row ${row + 1}: "${text.slice(0, 40)}" in column "${column}" is no date such as 2026-01-31, 31.01.2026 or 1/31/2026`,
        { path: column },
      );
    }
    return day;
  });
}

function dayOf(text: string, dayFirst: boolean): number | null {
  const yearFirst = YEAR_FIRST.exec(text);
  if (yearFirst) return calendarDay(yearFirst[1], yearFirst[3], yearFirst[4]);
  const yearLast = YEAR_LAST.exec(text);
  if (!yearLast) return null;
  const [, first, , second, year = ''] = yearLast;
  const fullYear = year.length === 2 ? `20${year}` : year;
  return dayFirst ? calendarDay(fullYear, second, first) : calendarDay(fullYear, first, second);
}

function isDayFirst(texts: readonly string[]): boolean {
  let dots = false;
  for (const text of texts) {
    const match = YEAR_LAST.exec(text);
    if (!match) continue;
    if (Number(match[1]) > 12) return true;
    if (Number(match[3]) > 12) return false;
    dots ||= match[2] === '.';
  }
  return dots;
}

/** Null for a day that no calendar has. */
function calendarDay(year = '', month = '', day = ''): number | null {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return exists ? date.getTime() / DAY_MS : null;
}
