import { DomainError } from '@sextant/domain';

const YES = new Set(['1', '1.0', 'true', 't', 'yes', 'y', 'positive', 'won', 'success']);
const NO = new Set(['0', '0.0', 'false', 'f', 'no', 'n', 'negative', '-1', 'lost', 'failure']);
const SHOWN = 8;

export interface ReadLabels {
  /** 0 or 1, shape [rows]; 0 where the cell is missing. */
  labels: Uint8Array;
  /** Rows whose cell is missing, ascending; they have no known outcome. */
  unknown: number[];
  /** The value that counts as 1. */
  positive: string;
}

/**
 * Two outcomes from a column of texts. The value that counts as 1 is taken from the usual words (1, true, yes, …) where exactly one of
 * the two values is such a word and the other is its opposite or anything else; it is never guessed from how often a value occurs.
 *
 * @param texts     shape [rows]; '' = missing
 * @param positive  the value that counts as 1, upper and lower case apart; then there may be more than two values
 * @throws DomainError INVALID_INPUT naming the values found and the remedy
 */
export function readLabels(texts: readonly string[], column: string, positive?: string): ReadLabels {
  const counts = new Map<string, number>();
  for (const text of texts) if (text !== '') counts.set(text, (counts.get(text) ?? 0) + 1);
  const value = positive ?? guessed(counts, column);
  if (!counts.has(value)) {
    throw invalid(`no row of the target "${column}" is "${value}"; it has ${listed(counts)}`, column);
  }
  if (counts.size === 1)
    throw invalid(
      `every row of the target "${column}" is "${value}": give rows of the other outcome as well`,
      column,
    );
  return {
    labels: Uint8Array.from(texts, (text) => (text === value ? 1 : 0)),
    unknown: Array.from(texts.keys()).filter((row) => texts[row] === ''),
    positive: value,
  };
}

function guessed(counts: ReadonlyMap<string, number>, column: string): string {
  const values = [...counts.keys()];
  const found = `the target "${column}" has ${listed(counts)}`;
  if (values.length === 0) throw invalid(`${found}: name the column that holds the outcome`, column);
  if (values.length > 2) {
    throw invalid(`${found}: a table needs two outcomes; name the one that counts with --positive`, column);
  }
  const isYes = (value: string): boolean => YES.has(value.toLowerCase());
  const isNo = (value: string): boolean => NO.has(value.toLowerCase());
  const yes = values.filter(isYes);
  const others = values.filter((value) => !isYes(value));
  const [only] = yes;
  if (only !== undefined && yes.length === 1) return only;
  if (yes.length === 0 && others.filter(isNo).length === 1) {
    const rest = others.find((value) => !isNo(value));
    if (rest !== undefined) return rest;
  }
  throw invalid(`${found}: name the one that counts with --positive`, column);
}

function listed(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return 'no value at all';
  const shown = [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, SHOWN)
    .map(([value, count]) => `"${value.slice(0, 40)}" (${count} rows)`);
  const more = counts.size - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more values` : ''}`;
}

function invalid(message: string, path: string): DomainError {
  return new DomainError('INVALID_INPUT', message, { path });
}
