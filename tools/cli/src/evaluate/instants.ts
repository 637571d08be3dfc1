import { dateFormatOf, parseDate } from '@sextant/learning/tabular';
import { isMissing } from './missing-cell.js';

/** From 1973 to 5138; as milliseconds it would be the first three years of the seventies. */
const UNIX_SECONDS = { from: 1e8, to: 1e11 };

/**
 * Milliseconds since 1970, shape [rows]; UTC unless a text names an offset. Day or month first is read from the whole column.
 *
 * @returns NaN where a cell is no date, or the column does not say which of day and month comes first
 */
export function instants(texts: readonly string[]): Float64Array {
  const distinct = [...new Set(texts)].filter((text) => !isMissing(text));
  // A handful of different dates is a column of dates as well.
  const format = dateFormatOf(distinct.length < 3 ? [...distinct, ...distinct, ...distinct] : distinct);
  return Float64Array.from(texts, (text) =>
    format === null ? Number.NaN : parseDate(text, format) + fractionOf(text),
  );
}

/** Milliseconds behind the seconds. */
function fractionOf(text: string): number {
  return 1000 * Number(/:\d{2}(\.\d+)/.exec(text)?.[1] ?? 0);
}

/** Numbers of the size of Unix seconds as milliseconds, others as they are. */
export function unixMilliseconds(times: Float64Array): Float64Array {
  const areSeconds = times.every((at) => at >= UNIX_SECONDS.from && at < UNIX_SECONDS.to);
  return areSeconds ? times.map((at) => at * 1000) : times;
}
