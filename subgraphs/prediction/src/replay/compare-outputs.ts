/** How far a replayed answer is from the one that was given. */
export interface Comparison {
  identical: boolean;
  /** of numbers, decimal strings among them, that stand at the same place; 0 where only other things differ */
  maxAbsDiff: number;
  /** places that differ, at most 20, e.g. `items.3.productId` */
  differences: string[];
}

const MOST_NAMED = 20;
const DECIMAL = /^-?\d+(\.\d+)?$/;

/**
 * Compares what was computed again with what was logged. Fields that only the log has (a token's expiry, the basis of a score) are no
 * answers of the model and are passed over at the top; below it everything counts.
 */
export function compareOutputs(
  logged: Readonly<Record<string, unknown>>,
  replayed: Readonly<Record<string, unknown>>,
): Comparison {
  const found: Comparison = { identical: true, maxAbsDiff: 0, differences: [] };
  for (const [key, value] of Object.entries(replayed)) compare(found, key, logged[key], value);
  return found;
}

function compare(found: Comparison, path: string, logged: unknown, replayed: unknown): void {
  if (logged === replayed) return;
  if (isObject(logged) && isObject(replayed)) {
    const keys = new Set([...Object.keys(logged), ...Object.keys(replayed)]);
    for (const key of keys) compare(found, `${path}.${key}`, logged[key], replayed[key]);
    return;
  }
  const [a, b] = [numberOf(logged), numberOf(replayed)];
  if (Number.isNaN(a) && Number.isNaN(b)) return;
  found.identical = false;
  if (found.differences.length < MOST_NAMED) found.differences.push(path);
  if (a === null || b === null) return;
  const difference = Math.abs(a - b);
  if (Number.isFinite(difference)) found.maxAbsDiff = Math.max(found.maxAbsDiff, difference);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : null;
}
