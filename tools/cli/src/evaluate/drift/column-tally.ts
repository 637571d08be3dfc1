import { DomainError } from '@sextant/domain';
import { readNumber } from '@sextant/learning';
import { type Binning, type ColumnCounts, NumericBinning } from '@sextant/learning/drift';
import { decimals } from '../csv-file.js';

/** How often each text stands in a column; the missing apart. */
export interface TextTally {
  texts: Map<string, number>;
  missing: number;
}

/** A text of its own in every row is a key, which drifts by its nature. */
const MAX_TEXTS = 1_000_000;

export function addText(texts: Map<string, number>, text: string, column: string): void {
  const rows = texts.get(text);
  if (rows === undefined && texts.size >= MAX_TEXTS) {
    throw new DomainError(
      'INVALID_INPUT',
      `column "${column}" has more than ${MAX_TEXTS} different texts: leave it out with --drop`,
      { path: column },
    );
  }
  texts.set(text, (rows ?? 0) + 1);
}

/** Numbers of a tally, each as often as it stands there; null where the column is no column of numbers. */
export function numbersOf(tally: TextTally, column: string): Float64Array | null {
  const rows = [...writtenAsDecimals(tally, column)];
  const values = rows.map(([text, count]) => ({ value: readNumber(text), count }));
  if (values.some(({ value }) => Number.isNaN(value))) return null;
  const all = new Float64Array(values.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { value, count } of values) all.fill(value, at, (at += count));
  return all;
}

/** By the bins of the reference: texts that are no numbers are missing where it has numbers. */
export function countTally(binning: Binning, tally: TextTally, column: string): ColumnCounts {
  const rows = writtenAsDecimals(tally, column);
  if (binning === null) return { kind: 'categorical', rows, missing: tally.missing };
  const bins: number[] = [];
  let { missing } = tally;
  for (const [text, count] of rows) {
    const one = binning.count({ kind: 'numeric', name: column, values: Float64Array.of(readNumber(text)) });
    if (one.kind !== 'numeric') continue;
    missing += one.missing * count;
    for (const [bin, hit] of one.bins.entries()) bins[bin] = (bins[bin] ?? 0) + hit * count;
  }
  const none = emptyBins(binning);
  return { kind: 'numeric', bins: none.map((_, bin) => bins[bin] ?? 0), missing };
}

/** Amounts as plain decimals where the whole column is of them. */
function writtenAsDecimals({ texts }: TextTally, column: string): Map<string, number> {
  const different = [...texts.keys()];
  const written = decimals(different, column);
  const rows = new Map<string, number>();
  for (const [i, text] of different.entries()) {
    const plain = written[i] ?? text;
    rows.set(plain, (rows.get(plain) ?? 0) + (texts.get(text) ?? 0));
  }
  return rows;
}

function emptyBins(binning: NumericBinning): Float64Array {
  const empty = binning.count({ kind: 'numeric', name: '', values: new Float64Array(0) });
  return empty.kind === 'numeric' ? empty.bins : new Float64Array(0);
}
