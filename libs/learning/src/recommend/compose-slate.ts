import { DomainError } from '@sextant/domain';
import { rankSlate } from './rank-slate.js';

/** What the business says about a slate, on top of the scores. */
export interface SlateRules {
  /** Wanted length, a positive integer. */
  first: number;
  /** Never shown, not even when pinned. */
  exclude?: ReadonlySet<number>;
  /** Shown first, in this order, whatever their scores. */
  pin?: readonly number[];
  /** Units at hand by item; 0 or less is never shown, NaN or absent is not counted. */
  stock?: ArrayLike<number>;
  /** At most so many of a category, pinned ones counted; items without a category are free. */
  cap?: { categoryOf: (item: number) => string | null; most: number };
  /** Trades score for variety; without it the order is by score. */
  diversity?: Diversity;
}

/** Maximal marginal relevance. */
export interface Diversity {
  /** In [0, 1]: 1 is the order by score, 0 variety alone. */
  lambda: number;
  /** In [0, 1], 1 for the same. */
  similarity: (a: number, b: number) => number;
}

export interface SlateItem {
  item: number;
  score: number;
  pinned: boolean;
}

/** Variety is looked for among this many times the slate's length. */
const POOL_FACTOR = 10;

/**
 * A slate under business rules. Sold out and excluded items leave first, then pins take their places, then the rest follows by score or,
 * with `diversity`, by λ·score − (1 − λ)·(largest similarity to what the slate already shows), with scores scaled to [0, 1] over the pool. A cap skips
 * items; the slate is shorter than wanted where the rules leave too few. Equal values keep the order of the scores, then of the indices.
 *
 * @param scores  shape [items]; NaN is never ranked
 * @throws DomainError INVALID_INPUT when `first` or the cap is not a positive integer, λ not in [0, 1], or a pin not an item
 *
 * Source: Carbonell and Goldstein (1998), "The use of MMR, diversity-based reranking for reordering documents and producing summaries", SIGIR.
 */
export function composeSlate(scores: ArrayLike<number>, rules: SlateRules): SlateItem[] {
  checkRules(scores, rules);
  const { first, exclude, pin = [], stock } = rules;
  const isBarred = (item: number): boolean =>
    (exclude?.has(item) ?? false) || (stock !== undefined && (stock[item] ?? Number.NaN) <= 0);
  const slate = new OpenSlate(rules);
  for (const item of new Set(pin)) if (!isBarred(item)) slate.add(item);
  const pinned = slate.items.length;
  const barred = new Set(slate.items);
  for (let item = 0; item < scores.length; item++) if (isBarred(item)) barred.add(item);
  // A cap may skip any number of the best: the pool has to be the whole catalogue then.
  const most = rules.cap ? Math.max(1, scores.length) : first * (rules.diversity ? POOL_FACTOR : 1);
  const pool = rankSlate(scores, { first: most, exclude: barred });
  if (rules.diversity) fillWithVariety(slate, pool, { scores, diversity: rules.diversity });
  else for (const item of pool) slate.add(item);
  return slate.items.map((item, i) => ({ item, score: scores[item] ?? Number.NaN, pinned: i < pinned }));
}

/** Takes items as long as there is room for them and for their category. */
class OpenSlate {
  readonly items: number[] = [];
  private readonly perCategory = new Map<string, number>();

  constructor(private readonly rules: SlateRules) {}

  get isFull(): boolean {
    return this.items.length >= this.rules.first;
  }

  hasRoomFor(item: number): boolean {
    const category = this.rules.cap?.categoryOf(item) ?? null;
    if (this.isFull) return false;
    return category === null || (this.perCategory.get(category) ?? 0) < (this.rules.cap?.most ?? 0);
  }

  add(item: number): void {
    if (!this.hasRoomFor(item)) return;
    this.items.push(item);
    const category = this.rules.cap?.categoryOf(item) ?? null;
    if (category !== null) this.perCategory.set(category, (this.perCategory.get(category) ?? 0) + 1);
  }
}

function fillWithVariety(
  slate: OpenSlate,
  pool: readonly number[],
  { scores, diversity }: { scores: ArrayLike<number>; diversity: Diversity },
): void {
  const scoreOf = (item: number | undefined): number => scores[item ?? -1] ?? 0;
  const [high, low] = [scoreOf(pool[0]), scoreOf(pool.at(-1))];
  const { lambda, similarity } = diversity;
  const closest = new Map(
    pool.map((item) => [item, Math.max(0, ...slate.items.map((shown) => similarity(item, shown)))]),
  );
  while (!slate.isFull && closest.size > 0) {
    let [best, highest] = [-1, Number.NEGATIVE_INFINITY];
    for (const [item, likeness] of closest) {
      const value =
        lambda * (high === low ? 1 : (scoreOf(item) - low) / (high - low)) - (1 - lambda) * likeness;
      if (value > highest && slate.hasRoomFor(item)) [best, highest] = [item, value];
    }
    if (best === -1) return;
    slate.add(best);
    closest.delete(best);
    for (const [item, likeness] of closest) closest.set(item, Math.max(likeness, similarity(item, best)));
  }
}

function checkRules(scores: ArrayLike<number>, { first, cap, diversity, pin }: SlateRules): void {
  if (!Number.isInteger(first) || first < 1) throw invalid('first', 'a positive integer', first);
  if (cap && (!Number.isInteger(cap.most) || cap.most < 1))
    throw invalid('cap.most', 'a positive integer', cap.most);
  if (diversity && !(diversity.lambda >= 0 && diversity.lambda <= 1))
    throw invalid('diversity.lambda', 'between 0 and 1', diversity.lambda);
  const unknown = pin?.find((item) => !Number.isInteger(item) || item < 0 || item >= scores.length);
  if (unknown !== undefined) throw invalid('pin', `items from 0 to ${scores.length - 1}`, unknown);
}

function invalid(path: string, wanted: string, actual: number): DomainError {
  return new DomainError('INVALID_INPUT', `${path} must be ${wanted}, got ${actual}`, { path });
}
