import { DomainError } from '@sextant/domain';
import type { PurchaseHistories } from './purchase-history.js';

/** Customers of equal statistics counted together: a likelihood costs one term a group. Times are divided by `timeScale`. */
export interface LikelihoodGroups {
  frequency: Int32Array;
  recency: Float64Array;
  age: Float64Array;
  count: Float64Array;
  customers: number;
  maxFrequency: number;
  /** Mean age in periods, so that parameters are of order 1 while they are fitted. */
  timeScale: number;
}

/**
 * @throws DomainError DATA_INSUFFICIENT without a customer, or when nobody is older than 0
 * @throws RangeError when a statistic is impossible (negative, not finite, fractional frequency, recency beyond age)
 */
export function likelihoodGroups({ frequency, recency, age }: PurchaseHistories): LikelihoodGroups {
  const n = frequency.length;
  const timeScale = meanAge(age);
  const groups = new Map<string, [x: number, tx: number, t: number, count: number]>();
  for (let i = 0; i < n; i++) {
    const [x, tx, t] = [frequency[i] ?? 0, recency[i] ?? 0, age[i] ?? 0];
    checkStatistics(i, { x, tx, t });
    const key = `${x} ${tx} ${t}`;
    const group = groups.get(key);
    if (group) group[3]++;
    else groups.set(key, [x, tx / timeScale, t / timeScale, 1]);
  }
  const rows = [...groups.values()];
  return {
    frequency: Int32Array.from(rows, ([x]) => x),
    recency: Float64Array.from(rows, ([, tx]) => tx),
    age: Float64Array.from(rows, ([, , t]) => t),
    count: Float64Array.from(rows, ([, , , count]) => count),
    customers: n,
    maxFrequency: rows.reduce((max, [x]) => Math.max(max, x), 0),
    timeScale,
  };
}

function meanAge(age: Float64Array): number {
  let sum = 0;
  for (const t of age) sum += t;
  if (!(sum > 0)) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      'a lifetime model needs customers whose first purchase lies before the end of observation; got none',
    );
  }
  return sum / age.length;
}

function checkStatistics(row: number, { x, tx, t }: { x: number; tx: number; t: number }): void {
  const possible = Number.isInteger(x) && x >= 0 && tx >= 0 && tx <= t * (1 + 1e-12) && Number.isFinite(t);
  if (!possible || (x === 0 && tx !== 0)) {
    throw new RangeError(
      `row ${row}: frequency ${x}, recency ${tx}, age ${t} is impossible: whole frequency >= 0, 0 <= recency <= age, recency 0 without a repeat`,
    );
  }
}
