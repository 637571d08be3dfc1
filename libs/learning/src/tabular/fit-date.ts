import type { CategoricalColumn } from './column-table.js';
import { dateFormatOf, type DateEncoding, datePart, type DatePart, parseDate } from './date-parts.js';

const TREE_PARTS: readonly DatePart[] = ['day', 'month', 'weekday', 'hour'];
const LINEAR_PARTS: readonly DatePart[] = [
  'day',
  'year-sine',
  'year-cosine',
  'week-sine',
  'week-cosine',
  'hour',
];

/**
 * How a column of dates becomes numbers: the day count, which orders and tells how long ago, and the time of year, week and day; as they
 * are for trees, on circles and standardised for a linear model. Parts that are the same in every row are left out.
 *
 * @returns  null where the column holds no dates, or the same one in every row
 */
export function dateEncoding(column: CategoricalColumn, purpose: 'linear' | 'trees'): DateEncoding | null {
  const used = new Set(column.codes);
  const texts = column.dictionary.filter((_, code) => used.has(code));
  const format = dateFormatOf(texts);
  if (format === null) return null;
  const byCode = column.dictionary.map((text) => parseDate(text, format));
  const instants = Float64Array.from(column.codes, (code) => byCode[code] ?? Number.NaN);
  const present = instants.filter((at) => !Number.isNaN(at));
  const parts = (purpose === 'trees' ? TREE_PARTS : LINEAR_PARTS).flatMap((part) => {
    const values = present.map((at) => datePart(part, at));
    const [low, high] = extremes(values);
    if (low === high) return [];
    if (purpose === 'trees') return [{ part, mean: 0, scale: 1 }];
    const mean = values.reduce((sum, value) => sum + value / values.length, 0);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
    return [{ part, mean, scale: Math.sqrt(variance), range: [low, high] as [number, number] }];
  });
  if (parts.length === 0) return null;
  const isLinear = purpose === 'linear';
  return {
    kind: 'date',
    column: column.name,
    format,
    parts,
    fill: isLinear,
    missingIndicator: isLinear && present.length < instants.length,
  };
}

function extremes(values: Float64Array): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
