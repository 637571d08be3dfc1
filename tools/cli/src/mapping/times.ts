import { DomainError, isCalendarDay } from '@sextant/domain';
import { type Cells, finite } from './cells.js';
import type { TimeMapping } from './mapping-schema.js';
import { type Row, RowError } from './row.js';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}$/;
const TOKENS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  MM: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{1,2})',
  ss: '(?<second>\\d{1,2})',
};

export interface TimeReader {
  columns: readonly string[];
  /** RFC 3339 in UTC. @throws RowError when the cell is missing or no such time */
  read(row: Row, cells: Cells): string;
}

/** A real instant written as RFC 3339 demands; date-only and local times are not. */
export function isInstant(text: string): boolean {
  return RFC_3339.test(text) && isCalendarDay(text) && !Number.isNaN(Date.parse(text));
}

/** @throws DomainError MAPPING_INVALID when a constant is no instant, or a format is unknown */
export function timeReader(mapping: TimeMapping): TimeReader {
  if (typeof mapping === 'string') {
    if (!isInstant(mapping)) {
      throw new DomainError(
        'MAPPING_INVALID',
        `must be an instant such as 2020-01-31T00:00:00Z, or a column, got "${mapping}"`,
      );
    }
    const constant = new Date(mapping).toISOString();
    return { columns: [], read: () => constant };
  }
  const { column, format, offsetSeconds = 0 } = mapping;
  const parse = parserOf(format);
  return {
    columns: [column],
    read(row, cells) {
      const text = cells.text(row, column);
      if (text === null) throw new RowError(column, `column ${column} holds the time and is missing`);
      const milliseconds = parse(text, column) + 1000 * offsetSeconds;
      const instant = new Date(milliseconds);
      if (Number.isNaN(instant.getTime()))
        throw new RowError(column, `column ${column} must be a time written as ${format}, got "${text}"`);
      return instant.toISOString();
    },
  };
}

function parserOf(format: string): (text: string, column: string) => number {
  if (format === 'unixSeconds') return (text, column) => 1000 * finite(text, column);
  if (format === 'unixMillis') return (text, column) => finite(text, column);
  if (format === 'iso')
    return (text) =>
      (RFC_3339.test(text) || ISO_DATE.test(text)) && isCalendarDay(text) ? Date.parse(text) : Number.NaN;
  if (!format.includes('yyyy') || !format.includes('MM') || !format.includes('dd')) {
    throw new DomainError(
      'MAPPING_INVALID',
      `format must be iso, unixSeconds, unixMillis or a pattern such as dd.MM.yyyy HH:mm:ss, got "${format}"`,
    );
  }
  const escaped = format.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(
    `^${escaped.replace(/yyyy|MM|dd|HH|mm|ss/g, (token) => TOKENS[token] ?? token)}$`,
  );
  return (text) => parsePattern(pattern.exec(text)?.groups);
}

/** UTC; NaN for a date that does not exist, such as 31 February. */
function parsePattern(groups: Record<string, string> | undefined): number {
  if (!groups) return Number.NaN;
  const [year = 0, month = 0, day = 0] = [groups['year'], groups['month'], groups['day']].map(Number);
  const [hour = 0, minute = 0, second = 0] = [
    groups['hour'] ?? 0,
    groups['minute'] ?? 0,
    groups['second'] ?? 0,
  ].map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return exists ? date.getTime() : Number.NaN;
}
