import type { LogisticModel } from '../score/logistic.js';

/** A column that somebody could change, and how far. */
export interface ActionableColumn {
  /** Index of the column in the row. */
  column: number;
  /** Range that was observed; no change leaves it. */
  low: number;
  high: number;
  /** What counts as one unit of change, e.g. the column's standard deviation; positive. */
  scale: number;
  /** New values are multiples of it, e.g. 1 for counts. */
  step?: number;
}

export interface ChangeQuestion {
  /** Shape [columns]. */
  row: ArrayLike<number>;
  /** Where the band begins, as a margin. */
  threshold: number;
  /** `reach`: a margin of at least the threshold is wanted; `leave`: one below it. */
  aim: 'reach' | 'leave';
  /** A column whose cell is missing cannot be changed by an amount and is passed over. */
  actionable: readonly ActionableColumn[];
  /** Most columns that may change together: 1, 2 (when absent) or 3. */
  maxColumns?: number;
}

export interface MinimalChange {
  /** By column; empty where the row is there already. */
  changes: { column: number; from: number; to: number }[];
  /** Root of the sum of squared changes, each in units of its scale. */
  distance: number;
  /** Of the changed row. */
  margin: number;
}

/** Beyond the threshold by this much, relative to it, so that rounding to float32 cannot leave the row on the wrong side. */
const BEYOND = 1e-6;

/** The margin to arrive at: the threshold, or just beyond it. */
function aimedMargin({ threshold, aim }: Pick<ChangeQuestion, 'threshold' | 'aim'>): number {
  const beyond = BEYOND * Math.max(1, Math.abs(threshold));
  return aim === 'reach' ? threshold + beyond : threshold - beyond;
}

export function isThere(margin: number, { threshold, aim }: ChangeQuestion): boolean {
  return aim === 'reach' ? margin >= threshold : margin < threshold;
}

/**
 * The smallest change that moves a linear score across a threshold: fewest columns first, then the least distance. Exact; where columns have
 * steps, the change is rounded outwards and may then be a little more than needed.
 *
 * @returns  null where no change of up to `maxColumns` columns within their ranges does it
 * @throws RangeError for a scale, step or number of columns that makes no sense
 */
export function minimalLinearChange(model: LogisticModel, question: ChangeQuestion): MinimalChange | null {
  const most = checkedColumns(question);
  const { row } = question;
  const margin = model.coefficients.reduce(
    (sum, weight, j) => sum + weight * (row[j] ?? Number.NaN),
    model.intercept,
  );
  if (isThere(margin, question)) return { changes: [], distance: 0, margin };
  const gap = Math.abs(aimedMargin(question) - margin);
  const sign = question.aim === 'reach' ? 1 : -1;
  const levers = question.actionable.flatMap((actionable): Lever[] => {
    const x = row[actionable.column] ?? Number.NaN;
    const weight = (model.coefficients[actionable.column] ?? 0) * sign;
    const to = weight > 0 ? endOf(actionable, 'high') : endOf(actionable, 'low');
    const room = weight > 0 ? to - x : x - to;
    return Number.isNaN(x) || weight === 0 || !(room > 0) ? [] : [{ actionable, x, weight, room }];
  });
  const gains = levers.map(({ weight, room }) => Math.abs(weight) * room).sort((a, b) => b - a);
  let [needed, gained] = [0, 0];
  while (gained < gap && needed < gains.length) gained += gains[needed++] ?? 0;
  if (gained < gap || needed > most) return null;
  let best: MinimalChange | null = null;
  for (const chosen of subsets(levers, needed)) {
    const change = changeOf(chosen, { gap, margin, sign });
    if (change !== null && (best === null || change.distance < best.distance)) best = change;
  }
  return best;
}

/** A column that can help, its present value, its weight towards the aim and how far it can go that way. */
interface Lever {
  actionable: ActionableColumn;
  x: number;
  weight: number;
  room: number;
}

/** Least sum of squares with Σ weight · move = gap within the room: moves in proportion to weight · scale², capped ones taken out. */
function changeOf(
  levers: readonly Lever[],
  { gap, margin, sign }: { gap: number; margin: number; sign: number },
): MinimalChange | null {
  const moves = new Map<Lever, number>();
  let [free, rest] = [levers, gap];
  for (;;) {
    const power = free.reduce((sum, { weight, actionable }) => sum + (weight * actionable.scale) ** 2, 0);
    const moveOf = ({ weight, actionable }: Lever): number =>
      (rest / power) * Math.abs(weight) * actionable.scale ** 2;
    const capped = free.filter((lever) => moveOf(lever) > lever.room);
    if (capped.length === 0) {
      for (const lever of free) moves.set(lever, moveOf(lever));
      break;
    }
    for (const lever of capped) moves.set(lever, lever.room);
    rest -= capped.reduce((sum, { weight, room }) => sum + Math.abs(weight) * room, 0);
    free = free.filter((lever) => !capped.includes(lever));
    if (free.length === 0) {
      // All at their ends: enough but for rounding, or not enough.
      if (rest > 1e-12 * gap) return null;
      break;
    }
  }
  let [reached, squares] = [margin, 0];
  const changes = levers.map((lever) => {
    const { actionable, x, weight } = lever;
    const direction = Math.sign(weight);
    const to = stepped(x + direction * (moves.get(lever) ?? 0), actionable.step, direction);
    reached += sign * weight * (to - x);
    squares += ((to - x) / actionable.scale) ** 2;
    return { column: actionable.column, from: x, to };
  });
  return { changes, distance: Math.sqrt(squares), margin: reached };
}

/** The next multiple of the step in the direction of the move. */
function stepped(value: number, step: number | undefined, direction: number): number {
  if (step === undefined) return value;
  const multiple = value / step;
  const nearest = Math.round(multiple);
  if (Math.abs(multiple - nearest) < 1e-9) return nearest * step;
  return (direction > 0 ? Math.ceil(multiple) : Math.floor(multiple)) * step;
}

function endOf({ low, high, step }: ActionableColumn, end: 'low' | 'high'): number {
  if (step === undefined) return end === 'low' ? low : high;
  return (end === 'low' ? Math.ceil(low / step - 1e-9) : Math.floor(high / step + 1e-9)) * step;
}

/** @throws RangeError */
export function checkedColumns({ actionable, maxColumns = 2 }: ChangeQuestion): number {
  if (![1, 2, 3].includes(maxColumns))
    throw new RangeError(`maxColumns must be 1, 2 or 3, got ${maxColumns}`);
  const bad = actionable.find(({ scale, step = 1 }) => !(scale > 0) || !(step > 0));
  if (bad !== undefined) {
    throw new RangeError(
      `scale and step must be positive, column ${bad.column} has ${bad.scale} and ${bad.step}`,
    );
  }
  return maxColumns;
}

/** All choices of `size` of the values, in order. */
export function* subsets<T>(values: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let i = from; i + size <= values.length; i++) {
    for (const others of subsets(values, size - 1, i + 1)) yield [...values.slice(i, i + 1), ...others];
  }
}
