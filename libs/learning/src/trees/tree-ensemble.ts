/** One binary tree as parallel arrays, one entry a node; node 0 is the root. */
export interface Tree {
  /** Column that the node tests; -1 marks a leaf. */
  feature: Int32Array;
  /** Go left when x <= threshold. Unused at a leaf. */
  threshold: Float64Array;
  /** Node numbers of the children; unused at a leaf. */
  left: Int32Array;
  right: Int32Array;
  /** 1 where a missing value (NaN) goes left, else 0. */
  defaultLeft: Uint8Array;
  /** Contribution to the margin at a leaf; at an inner node the expected margin below it (0 where unknown). */
  value: Float64Array;
  /** Training rows that reached the node, for exact attributions. */
  cover: Float64Array;
}

/** A sum of regression trees; the margin is log-odds for a binary label and the target itself for a regression. */
export interface TreeEnsemble {
  baseScore: number;
  trees: Tree[];
}

/**
 * Margin of one row: baseScore plus the value of the leaf that each tree routes the row to.
 *
 * @param row  feature values in model order; NaN is missing. A column beyond the row's end counts as missing
 */
export function predictMargin(ensemble: TreeEnsemble, row: ArrayLike<number>): number {
  let margin = ensemble.baseScore;
  for (const tree of ensemble.trees) margin += tree.value[leafOf(tree, row)] ?? 0;
  return margin;
}

/** Number of the leaf node that a row falls into. */
export function leafOf(tree: Tree, row: ArrayLike<number>): number {
  let node = 0;
  for (;;) {
    const feature = tree.feature[node] ?? -1;
    if (feature < 0) return node;
    const x = row[feature] ?? Number.NaN;
    const goesLeft = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x <= (tree.threshold[node] ?? 0);
    node = (goesLeft ? tree.left[node] : tree.right[node]) ?? 0;
  }
}

/**
 * Margins of a table.
 *
 * @param rows     row-major, shape [n, columns]
 * @returns        shape [n]
 */
export function predictMargins(
  ensemble: TreeEnsemble,
  rows: Float64Array | Float32Array,
  columns: number,
): Float64Array {
  const margins = new Float64Array(columns === 0 ? 0 : rows.length / columns);
  for (let i = 0; i < margins.length; i++)
    margins[i] = predictMargin(ensemble, rows.subarray(i * columns, (i + 1) * columns));
  return margins;
}
