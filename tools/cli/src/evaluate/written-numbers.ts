import { DomainError } from '@sextant/domain';
import { isMissing } from './missing-cell.js';

/** A number in a cell by the two ways of writing it; null where it cannot be one. */
interface Reading {
  /** `1,234.50` */
  point: string | null;
  /** `1.234,50` */
  comma: string | null;
  /** Dollars and pounds are written with a decimal point. */
  hasPointCurrency: boolean;
}

const CURRENCY = /^(?:[$£€¥₹]|USD|GBP|EUR|CHF|INR|JPY)\s*|\s*(?:[$£€¥₹]|USD|GBP|EUR|CHF|INR|JPY)$/g;
const POINT = /^(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)?(?:\.\d+)?$/;
const COMMA = /^(?:[1-9]\d{0,2}(?:[. \u00a0\u202f']\d{3})+|\d+)(?:,\d+)?$/;

/**
 * A column of amounts as plain decimals: `$1,234.50`, `(3.20)` for a loss, `12.5%` = 0.125, `1.234,50 €`. Whether the comma or the point
 * is the decimal one is read from the whole column.
 *
 * @param texts  shape [rows]; missing cells stay as they are
 * @returns      shape [rows]; null where some cell is no such number, or the column is of plain decimals anyway
 * @throws DomainError INVALID_INPUT where every cell can be read both ways: 1,234 is a thousand or a little more than one
 */
export function writtenNumbers(texts: readonly string[], column: string): string[] | null {
  const present = texts.filter((text) => !isMissing(text));
  if (present.every((text) => Number.isFinite(Number(text)))) return null;
  const readings = new Map<string, Reading>();
  for (const text of present) {
    const reading = readings.get(text) ?? readingOf(text);
    if (reading === null || (reading.point === null && reading.comma === null)) return null;
    readings.set(text, reading);
  }
  const way = wayOf([...readings], column);
  if (way === null) return null;
  return texts.map((text) => readings.get(text)?.[way] ?? text);
}

function wayOf(readings: readonly [string, Reading][], column: string): 'point' | 'comma' | null {
  const isPoint = readings.every(([, { point }]) => point !== null);
  const isComma = readings.every(([, { comma }]) => comma !== null);
  if (isPoint !== isComma) return isPoint ? 'point' : 'comma';
  if (!isPoint) return null;
  const doubtful = readings.find(([, { point, comma }]) => point !== comma);
  if (doubtful === undefined || readings.some(([, { hasPointCurrency }]) => hasPointCurrency)) return 'point';
  throw new DomainError(
    'INVALID_INPUT',
    `"${doubtful[0].slice(0, 40)}" in column "${column}" is ${doubtful[1].point} or ${doubtful[1].comma}, and no other row tells which: write decimals with a point and thousands without a sign`,
    { path: column },
  );
}

function readingOf(text: string): Reading | null {
  const isLoss = /^\(.+\)$/.test(text);
  const bare = isLoss ? text.slice(1, -1) : text;
  const sign = /^\s*(?:[$£€¥₹]\s*)?([-−+])/.exec(bare)?.[1] ?? '';
  const unsigned = sign === '' ? bare : bare.replace(sign, '');
  const isShare = unsigned.endsWith('%');
  const body = (isShare ? unsigned.slice(0, -1) : unsigned).trim().replace(CURRENCY, '');
  if (!/\d/.test(body)) return null;
  const write = (plain: string): string => {
    const size = Number(plain) / (isShare ? 100 : 1);
    return String((sign !== '' && sign !== '+') !== isLoss ? -size : size);
  };
  return {
    point: POINT.test(body) ? write(body.replaceAll(',', '')) : null,
    comma: COMMA.test(body) ? write(body.replaceAll(/[^\d,]/g, '').replace(',', '.')) : null,
    hasPointCurrency: /[$£]|USD|GBP/.test(text),
  };
}
