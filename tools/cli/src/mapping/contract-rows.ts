import { RowError } from './row.js';
import { isInstant } from './times.js';

const EVENT_KEYS = new Set(['id', 'type', 'at', 'customerRef', 'properties', 'source']);
const PRODUCT_KEYS = new Set(['id', 'sku', 'title', 'categories', 'listPrice', 'cost', 'stock']);

/**
 * Checks a line that is in the form of the contract already, so that one bad line cannot spoil its batch; the line itself is sent.
 *
 * @returns  the line as it was
 * @throws RowError when the graph would refuse its shape
 */
export function contractLine(line: string, kind: 'events' | 'products'): string {
  const row = parseObject(line);
  const keys = kind === 'events' ? EVENT_KEYS : PRODUCT_KEYS;
  const unknown = Object.keys(row).find((key) => !keys.has(key));
  if (unknown !== undefined)
    throw new RowError(unknown, `unknown key ${unknown}; the keys are ${[...keys].join(', ')}`);
  textOf(row, 'id');
  if (kind === 'products') {
    textOf(row, 'title');
    return line;
  }
  textOf(row, 'type');
  if (!isInstant(textOf(row, 'at')))
    throw new RowError('at', `at must be an RFC 3339 time such as 2026-01-31T12:00:00Z`);
  if (row['customerRef'] !== undefined && row['customerRef'] !== null) textOf(row, 'customerRef');
  return line;
}

function parseObject(line: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new RowError('', 'the line is no JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new RowError('', 'the line must be a JSON object');
  return parsed as Record<string, unknown>;
}

function textOf(row: Readonly<Record<string, unknown>>, key: string): string {
  const value = row[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new RowError(key, `${key} must be a text that is not empty`);
}
