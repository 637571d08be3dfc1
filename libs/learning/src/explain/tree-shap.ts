import type { Tree, TreeEnsemble } from '../trees/tree-ensemble.js';

/** Elements of the current decision path, one slice a depth: which feature, and how much of the path's weight flows on when the feature is unknown (zero) and known (one). */
interface Path {
  feature: Int32Array;
  zero: Float64Array;
  one: Float64Array;
  weight: Float64Array;
}

/**
 * Exact Shapley values of tree ensembles for one row at a time. The value of a set of known features is the expected margin when the
 * row decides at nodes that test a known feature and the training rows' shares decide elsewhere (path-dependent).
 * `baseValue` + Σ contributions = margin, for every row.
 *
 * Time a row: O(trees · leaves · depth²). Cells may be NaN.
 *
 * Source: Lundberg, Erion and Lee (2018), "Consistent individualized feature attribution for tree ensembles", arXiv:1802.03888, algorithm 2.
 */
export class TreeShap {
  /** Expected margin over the training rows. */
  readonly baseValue: number;
  private readonly path: Path;

  constructor(
    private readonly ensemble: TreeEnsemble,
    private readonly columns: number,
  ) {
    this.baseValue = ensemble.trees.reduce((sum, tree) => sum + expectedValue(tree, 0), ensemble.baseScore);
    const depth = ensemble.trees.reduce((deepest, tree) => Math.max(deepest, depthOf(tree, 0)), 0);
    const size = ((depth + 2) * (depth + 3)) / 2;
    this.path = {
      feature: new Int32Array(size),
      zero: new Float64Array(size),
      one: new Float64Array(size),
      weight: new Float64Array(size),
    };
  }

  /** @returns  contribution of each column to the margin of the row, shape [columns] */
  contributions(row: ArrayLike<number>): Float64Array {
    const phi = new Float64Array(this.columns);
    for (const tree of this.ensemble.trees) {
      new TreeWalk(tree, row, this.path, phi).visit(0, { start: 0, length: 0, feature: -1, zero: 1, one: 1 });
    }
    return phi;
  }
}

/** A path slice [start, start + length) and the element to append to it. */
interface Arrival {
  start: number;
  length: number;
  feature: number;
  zero: number;
  one: number;
}

class TreeWalk {
  constructor(
    private readonly tree: Tree,
    private readonly row: ArrayLike<number>,
    private readonly path: Path,
    private readonly phi: Float64Array,
  ) {}

  visit(node: number, arrival: Arrival): void {
    const start = this.extendedCopy(arrival);
    const last = arrival.length;
    const feature = this.tree.feature[node] ?? -1;
    if (feature < 0) {
      this.credit(start, last, this.tree.value[node] ?? 0);
      return;
    }
    const [hot, cold] = this.children(node, feature);
    let [zero, one, length] = [1, 1, last + 1];
    const known = this.indexOf(start, last, feature);
    if (known > 0) {
      zero = this.path.zero[start + known] ?? 0;
      one = this.path.one[start + known] ?? 0;
      this.unwind(start, last, known);
      length = last;
    }
    const cover = this.tree.cover[node] ?? 0;
    const share = (child: number): number => (zero * (this.tree.cover[child] ?? 0)) / cover;
    this.visit(hot, { start, length, feature, zero: share(hot), one });
    if (share(cold) > 0) this.visit(cold, { start, length, feature, zero: share(cold), one: 0 });
  }

  private children(node: number, feature: number): [hot: number, cold: number] {
    const x = this.row[feature] ?? Number.NaN;
    const goesLeft = Number.isNaN(x)
      ? this.tree.defaultLeft[node] === 1
      : x <= (this.tree.threshold[node] ?? 0);
    const [left, right] = [this.tree.left[node] ?? 0, this.tree.right[node] ?? 0];
    return goesLeft ? [left, right] : [right, left];
  }

  /** Copies the parent's slice behind it, appends one element (EXTEND) and returns where the copy starts. */
  private extendedCopy({ start, length, feature, zero, one }: Arrival): number {
    const path = this.path;
    const to = start + length;
    path.feature.copyWithin(to, start, to);
    path.zero.copyWithin(to, start, to);
    path.one.copyWithin(to, start, to);
    path.weight.copyWithin(to, start, to);
    path.feature[to + length] = feature;
    path.zero[to + length] = zero;
    path.one[to + length] = one;
    path.weight[to + length] = length === 0 ? 1 : 0;
    for (let i = length - 1; i >= 0; i--) {
      const weight = path.weight[to + i] ?? 0;
      path.weight[to + i + 1] = (path.weight[to + i + 1] ?? 0) + (one * weight * (i + 1)) / (length + 1);
      path.weight[to + i] = (zero * weight * (length - i)) / (length + 1);
    }
    return to;
  }

  private indexOf(start: number, last: number, feature: number): number {
    for (let i = 1; i <= last; i++) if (this.path.feature[start + i] === feature) return i;
    return -1;
  }

  /** Undoes the extension by element `at` (UNWIND); the slice is one element shorter afterwards. */
  private unwind(start: number, last: number, at: number): void {
    const { feature, zero, one, weight } = this.path;
    const [z, o] = [zero[start + at] ?? 0, one[start + at] ?? 0];
    let next = weight[start + last] ?? 0;
    for (let j = last - 1; j >= 0; j--) {
      const held = weight[start + j] ?? 0;
      if (o !== 0) {
        const restored = (next * (last + 1)) / ((j + 1) * o);
        weight[start + j] = restored;
        next = held - (restored * z * (last - j)) / (last + 1);
      } else weight[start + j] = (held * (last + 1)) / (z * (last - j));
    }
    for (let j = start + at; j < start + last; j++) {
      feature[j] = feature[j + 1] ?? -1;
      zero[j] = zero[j + 1] ?? 0;
      one[j] = one[j + 1] ?? 0;
    }
  }

  /** A leaf credits each feature on its path with its value times the weight of the subsets without that feature. */
  private credit(start: number, last: number, value: number): void {
    const { feature, zero, one } = this.path;
    for (let i = 1; i <= last; i++) {
      const column = feature[start + i] ?? 0;
      const difference = (one[start + i] ?? 0) - (zero[start + i] ?? 0);
      this.phi[column] = (this.phi[column] ?? 0) + this.unwoundWeight(start, last, i) * difference * value;
    }
  }

  private unwoundWeight(start: number, last: number, at: number): number {
    const { zero, one, weight } = this.path;
    const [z, o] = [zero[start + at] ?? 0, one[start + at] ?? 0];
    let next = weight[start + last] ?? 0;
    let total = 0;
    for (let j = last - 1; j >= 0; j--) {
      const held = weight[start + j] ?? 0;
      if (o !== 0) {
        const restored = (next * (last + 1)) / ((j + 1) * o);
        total += restored;
        next = held - (restored * z * (last - j)) / (last + 1);
      } else total += (held * (last + 1)) / (z * (last - j));
    }
    return total;
  }
}

function expectedValue(tree: Tree, node: number): number {
  if ((tree.feature[node] ?? -1) < 0) return tree.value[node] ?? 0;
  const [left, right] = [tree.left[node] ?? 0, tree.right[node] ?? 0];
  const [a, b] = [tree.cover[left] ?? 0, tree.cover[right] ?? 0];
  return (a * expectedValue(tree, left) + b * expectedValue(tree, right)) / (a + b);
}

function depthOf(tree: Tree, node: number): number {
  if ((tree.feature[node] ?? -1) < 0) return 0;
  return 1 + Math.max(depthOf(tree, tree.left[node] ?? 0), depthOf(tree, tree.right[node] ?? 0));
}
