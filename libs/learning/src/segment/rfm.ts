/** Recency, frequency and money of one customer. */
export interface RfmRow {
  /** days since the last purchase */
  recencyDays: number;
  /** purchases */
  frequency: number;
  /** total spend, major units */
  monetary: number;
}

export interface RfmScore {
  /** 1 to 5 each, 5 the best fifth */
  recency: number;
  frequency: number;
  monetary: number;
  name: RfmName;
}

export const RFM_NAMES = [
  'Champions',
  'Loyal customers',
  'Potential loyalists',
  'New customers',
  'Promising',
  'Need attention',
  'About to sleep',
  'At risk',
  'Cannot lose them',
  'Hibernating',
] as const;
export type RfmName = (typeof RFM_NAMES)[number];

/** Name by recency score (rows, 5 to 1) and the rounded mean of frequency and money (columns, 1 to 5). */
const GRID: readonly (readonly RfmName[])[] = [
  ['New customers', 'Potential loyalists', 'Potential loyalists', 'Champions', 'Champions'],
  ['Promising', 'Potential loyalists', 'Potential loyalists', 'Loyal customers', 'Champions'],
  ['About to sleep', 'About to sleep', 'Need attention', 'Loyal customers', 'Loyal customers'],
  ['Hibernating', 'Hibernating', 'At risk', 'At risk', 'Cannot lose them'],
  ['Hibernating', 'Hibernating', 'At risk', 'Cannot lose them', 'Cannot lose them'],
];

/**
 * Quintile scores and the usual names. Customers with equal values get equal scores: the score of a value is the fifth that the
 * middle of its ties falls into, so a frequency that most share does not make five groups of equals.
 *
 * @throws RangeError when a value is negative or not finite
 *
 * Source: Hughes (1994), "Strategic Database Marketing"; Bult and Wansbeek (1995), Marketing Science 14(4).
 */
export function rfmScores(rows: readonly RfmRow[]): RfmScore[] {
  const recency = fifths(rows.map(({ recencyDays }) => -checked(recencyDays, 'recencyDays')));
  const frequency = fifths(rows.map((row) => checked(row.frequency, 'frequency')));
  const monetary = fifths(rows.map((row) => checked(row.monetary, 'monetary')));
  return rows.map((_, i) => {
    const scores = { recency: recency[i] ?? 1, frequency: frequency[i] ?? 1, monetary: monetary[i] ?? 1 };
    const worth = Math.round((scores.frequency + scores.monetary) / 2);
    return { ...scores, name: GRID[5 - scores.recency]?.[worth - 1] ?? 'Hibernating' };
  });
}

function checked(value: number, name: string): number {
  if (!Number.isFinite(value) || value < 0)
    throw new RangeError(`${name} must be finite and >= 0, got ${value}`);
  return value;
}

/** 1 + the number of whole fifths below the middle rank of each value. */
function fifths(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const bounds = new Map<number, [first: number, last: number]>();
  sorted.forEach((value, rank) => {
    const known = bounds.get(value);
    if (known) known[1] = rank;
    else bounds.set(value, [rank, rank]);
  });
  return values.map((value) => {
    const [first, last] = bounds.get(value) ?? [0, 0];
    const share = ((first + last) / 2 + 0.5) / sorted.length;
    return Math.min(5, 1 + Math.floor(5 * share));
  });
}
