import type { IndexedSession } from './sessions.js';

/** Weights from an item to others as sparse rows: row i holds the entries `start[i]` to `start[i + 1]`, heaviest first. */
export interface Transitions {
  itemCount: number;
  start: Uint32Array;
  to: Uint32Array;
  weight: Float64Array;
}

export interface TransitionSettings {
  /** What a step against the order of viewing counts, in [0, 1]; a step forward counts 1. */
  backward: number;
  /** A pair d views apart counts `distanceDecay^(d − 1)`, in (0, 1]. */
  distanceDecay: number;
  /** Views of doubt: a row of weight w is trusted w / (w + shrinkage). */
  shrinkage: number;
  /** Share of what is reached over one item between, in [0, 1]; 0 = direct neighbours only. */
  twoSteps: number;
}

type Row = Map<number, number>;

/** Pairs further apart than this are no neighbours; it also bounds the work for sessions of robots. */
const MAX_DISTANCE = 10;
/** Entries kept of a row: the tail is noise, and products of rows would fill the memory. */
const MAX_NEIGHBOURS = 200;
const MAX_FIRST_STEPS = 50;

/**
 * Estimated probability that the next view is j when i was viewed: decayed counts of pairs, with rows shrunk towards nothing
 * (the rest is left to popularity), and a second step over common neighbours. An item is no neighbour of its own.
 *
 * @returns rows that sum to at most 1
 */
export function countTransitions(
  sessions: readonly IndexedSession[],
  itemCount: number,
  settings: TransitionSettings,
): Transitions {
  const counts: Row[] = Array.from({ length: itemCount }, () => new Map<number, number>());
  for (const { items } of sessions) countPairs(items, counts, settings);
  const first = counts.map((row) => shrunk(row, settings.shrinkage));
  if (settings.twoSteps === 0) return toSparse(first, itemCount);
  const steps = first.map((row) => heaviest(row, MAX_FIRST_STEPS));
  const rows = first.map((row, from) => withSecondStep({ from, row }, steps, settings.twoSteps));
  return toSparse(rows, itemCount);
}

/** The rows written out, shape [itemCount, itemCount] row-major. */
export function denseTransitions({ itemCount, start, to, weight }: Transitions): Float32Array {
  const dense = new Float32Array(itemCount * itemCount);
  for (let i = 0; i < itemCount; i++) {
    for (let e = start[i] ?? 0; e < (start[i + 1] ?? 0); e++)
      dense[i * itemCount + (to[e] ?? 0)] = weight[e] ?? 0;
  }
  return dense;
}

function countPairs(items: Uint32Array, counts: readonly Row[], settings: TransitionSettings): void {
  for (let a = 0; a < items.length; a++) {
    let weight = 1;
    for (let b = a + 1; b <= Math.min(items.length - 1, a + MAX_DISTANCE); b++) {
      add(counts, items[a], items[b], weight);
      if (settings.backward > 0) add(counts, items[b], items[a], weight * settings.backward);
      weight *= settings.distanceDecay;
    }
  }
}

function add(counts: readonly Row[], from: number | undefined, to: number | undefined, weight: number): void {
  if (from === undefined || to === undefined || from === to) return;
  const row = counts[from];
  row?.set(to, (row.get(to) ?? 0) + weight);
}

function shrunk(row: Row, shrinkage: number): Row {
  let total = shrinkage;
  for (const weight of row.values()) total += weight;
  return new Map([...row].map(([to, weight]) => [to, weight / total]));
}

/** (1 − share) × one step + share × two steps, without the way back to the item itself. */
function withSecondStep(
  { from, row }: { from: number; row: Row },
  steps: readonly (readonly [number, number][])[],
  share: number,
): Row {
  const sum: Row = new Map([...row].map(([to, weight]) => [to, (1 - share) * weight]));
  for (const [via, weight] of steps[from] ?? []) {
    for (const [to, next] of steps[via] ?? []) {
      if (to !== from) sum.set(to, (sum.get(to) ?? 0) + share * weight * next);
    }
  }
  return sum;
}

function heaviest(row: Row, count: number): [number, number][] {
  const entries = [...row].sort(([a, m], [b, n]) => n - m || a - b);
  return entries.length <= count ? entries : entries.slice(0, count);
}

function toSparse(rows: readonly Row[], itemCount: number): Transitions {
  const kept = rows.map((row) => heaviest(row, MAX_NEIGHBOURS));
  const size = kept.reduce((sum, row) => sum + row.length, 0);
  const sparse = {
    itemCount,
    start: new Uint32Array(itemCount + 1),
    to: new Uint32Array(size),
    weight: new Float64Array(size),
  };
  let at = 0;
  kept.forEach((row, i) => {
    for (const [to, weight] of row) {
      sparse.to[at] = to;
      sparse.weight[at++] = weight;
    }
    sparse.start[i + 1] = at;
  });
  return sparse;
}
