import { DomainError } from '@sextant/domain';

/**
 * `rankSlate` for one row after the other of the same catalogue: the same items in the same order, from memory that is kept
 * between rows. The best so far are a heap with the worst on top, so that a row costs items + first · log(first) · log(items).
 */
export class SlateRanker {
  /** row in which an item was barred */
  private readonly barredIn: Uint32Array;
  private row = 0;
  private readonly heap: Int32Array;
  private size = 0;

  /** @param most  longest slate that will be asked for */
  constructor(
    private readonly itemCount: number,
    most: number,
  ) {
    this.barredIn = new Uint32Array(itemCount);
    this.heap = new Int32Array(Math.max(1, Math.min(most, itemCount)));
  }

  /** Begins the next row: nothing is barred. */
  next(): void {
    this.row += 1;
    if (this.row <= 0xffff_ffff) return;
    this.barredIn.fill(0);
    this.row = 1;
  }

  /** Keeps an item out of this row's slate. */
  bar(item: number): void {
    this.barredIn[item] = this.row;
  }

  /**
   * The best items by score; equal scores keep the order of the item indices, NaN is never ranked.
   *
   * @param scores  shape [items]
   * @param first   wanted length
   * @returns       item indices, best first; valid until the next call
   * @throws DomainError INVALID_INPUT when first is not an integer in 1..most
   */
  rank(scores: Float32Array | Float64Array, first: number): Int32Array {
    if (!Number.isInteger(first) || first < 1) {
      throw new DomainError('INVALID_INPUT', `first must be a positive integer, got ${first}`, {
        path: 'first',
      });
    }
    const { itemCount, barredIn, row, heap } = this;
    const limit = Math.min(first, heap.length);
    this.size = 0;
    let worst = Number.NaN;
    for (let item = 0; item < itemCount; item++) {
      const score = scores[item] as number;
      // While the heap has room `worst` is NaN, which nothing is at or below.
      if (score <= worst || score !== score || barredIn[item] === row) continue;
      if (this.size < limit) this.push(scores, item);
      else this.replaceWorst(scores, item);
      if (this.size === limit) worst = scores[heap[0] as number] as number;
    }
    return this.sorted(scores);
  }

  /** Whether the item at heap position a leaves the slate before the one at b. */
  private isWorse(scores: ArrayLike<number>, a: number, b: number): boolean {
    const [first, second] = [scores[a] as number, scores[b] as number];
    return first < second || (first === second && a > b);
  }

  private push(scores: ArrayLike<number>, item: number): void {
    const { heap } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as number;
      if (!this.isWorse(scores, item, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  private replaceWorst(scores: ArrayLike<number>, item: number): void {
    this.sink(scores, item, this.size);
  }

  /** Puts an item in the place of the top and lets it fall to where it belongs among the first `size`. */
  private sink(scores: ArrayLike<number>, item: number, size: number): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.isWorse(scores, heap[right] as number, heap[child] as number)) child = right;
      const below = heap[child] as number;
      if (!this.isWorse(scores, below, item)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = item;
  }

  private sorted(scores: ArrayLike<number>): Int32Array {
    const { heap, size } = this;
    for (let last = size - 1; last > 0; last--) {
      const worst = heap[0] as number;
      this.sink(scores, heap[last] as number, last);
      heap[last] = worst;
    }
    return heap.subarray(0, size);
  }
}
