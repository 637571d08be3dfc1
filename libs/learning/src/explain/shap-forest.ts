import type { Tree, TreeEnsemble } from '../trees/tree-ensemble.js';

/**
 * The trees of an ensemble one after the other, laid out for attributions. A tree's *slots* are its inner nodes, parents before children,
 * and after them its leaves. Of each leaf it knows the path, the distinct columns on it and, of each, the share of the
 * training rows that pass the path's tests of it.
 */
export interface ShapForest {
  /** First inner node and first leaf of each tree; one entry more than trees. */
  treeInner: Int32Array;
  treeLeaf: Int32Array;
  /** By inner node: column tested, and whether a missing cell goes left. */
  column: Int32Array;
  defaultLeft: Uint8Array;
  threshold: Float64Array;
  /** By inner node: place of its column among the distinct columns of the path so far. */
  place: Int32Array;
  /** By inner node: slots of its children, counted from the tree's first. */
  left: Int32Array;
  right: Int32Array;
  leafValue: Float64Array;
  /** Columns and shares of leaf i stand at leafStart[i] … leafStart[i + 1] − 1. */
  leafStart: Int32Array;
  leafColumn: Int32Array;
  leafShare: Float64Array;
  /** The path of leaf i, root first, at pathStart[i] … pathStart[i + 1] − 1: inner nodes, and whether it goes left there. */
  pathStart: Int32Array;
  pathNode: Int32Array;
  pathLeft: Uint8Array;
}

export function shapForest({ trees }: TreeEnsemble): ShapForest {
  const [treeInner, treeLeaf] = [[0], [0]];
  const parts = trees.map((tree, i) => {
    const part = new TreeLayout(tree, treeInner[i] ?? 0).layout();
    treeInner.push((treeInner[i] ?? 0) + part.column.length);
    treeLeaf.push((treeLeaf[i] ?? 0) + part.leafValue.length);
    return part;
  });
  const all = (field: keyof TreeParts): number[] => parts.flatMap((part) => part[field]);
  return {
    treeInner: Int32Array.from(treeInner),
    treeLeaf: Int32Array.from(treeLeaf),
    column: Int32Array.from(all('column')),
    defaultLeft: Uint8Array.from(all('defaultLeft')),
    threshold: Float64Array.from(all('threshold')),
    place: Int32Array.from(all('place')),
    left: Int32Array.from(all('left')),
    right: Int32Array.from(all('right')),
    leafValue: Float64Array.from(all('leafValue')),
    leafStart: startsOf(all('leafColumns')),
    leafColumn: Int32Array.from(all('leafColumn')),
    leafShare: Float64Array.from(all('leafShare')),
    pathStart: startsOf(all('pathLength')),
    pathNode: Int32Array.from(all('pathNode')),
    pathLeft: Uint8Array.from(all('pathLeft')),
  };
}

function startsOf(lengths: readonly number[]): Int32Array {
  const starts = new Int32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) starts[i + 1] = (starts[i] ?? 0) + length;
  return starts;
}

interface TreeParts {
  column: number[];
  defaultLeft: number[];
  threshold: number[];
  place: number[];
  left: number[];
  right: number[];
  leafValue: number[];
  /** How many distinct columns each leaf has. */
  leafColumns: number[];
  leafColumn: number[];
  leafShare: number[];
  pathLength: number[];
  pathNode: number[];
  pathLeft: number[];
}

interface Path {
  /** Distinct columns in the order of their first test, and the share of rows that pass each. */
  columns: readonly number[];
  shares: readonly number[];
  nodes: readonly number[];
  lefts: readonly number[];
}

const ROOT: Path = { columns: [], shares: [], nodes: [], lefts: [] };

class TreeLayout {
  private readonly inners: number;
  private readonly parts: TreeParts = {
    ...{ column: [], defaultLeft: [], threshold: [], place: [], left: [], right: [], leafValue: [] },
    ...{ leafColumns: [], leafColumn: [], leafShare: [], pathLength: [], pathNode: [], pathLeft: [] },
  };

  /** @param first  number of the tree's first inner node in the forest */
  constructor(
    private readonly tree: Tree,
    private readonly first: number,
  ) {
    this.inners = countInner(tree, 0);
  }

  layout(): TreeParts {
    this.visit(0, ROOT);
    return this.parts;
  }

  /** Lays out the subtree below a node and returns the node's slot. */
  private visit(node: number, path: Path): number {
    const { tree, parts } = this;
    const column = tree.feature[node] ?? -1;
    if (column < 0) return this.visitLeaf(node, path);
    const at = parts.column.length;
    const seen = path.columns.indexOf(column);
    parts.column.push(column);
    parts.defaultLeft.push(tree.defaultLeft[node] ?? 0);
    parts.threshold.push(tree.threshold[node] ?? 0);
    parts.place.push(seen < 0 ? path.columns.length : seen);
    const below = (child: number, left: 0 | 1): number => {
      const test = { node: this.first + at, column, left, share: shareOf(tree, node, child) };
      return this.visit(child, extended(path, test));
    };
    parts.left[at] = below(tree.left[node] ?? 0, 1);
    parts.right[at] = below(tree.right[node] ?? 0, 0);
    return at;
  }

  private visitLeaf(node: number, path: Path): number {
    const { parts } = this;
    parts.leafColumns.push(path.columns.length);
    parts.leafColumn.push(...path.columns);
    parts.leafShare.push(...path.shares);
    parts.pathLength.push(path.nodes.length);
    parts.pathNode.push(...path.nodes);
    parts.pathLeft.push(...path.lefts);
    return this.inners + parts.leafValue.push(this.tree.value[node] ?? 0) - 1;
  }
}

function countInner(tree: Tree, node: number): number {
  if ((tree.feature[node] ?? -1) < 0) return 0;
  return 1 + countInner(tree, tree.left[node] ?? 0) + countInner(tree, tree.right[node] ?? 0);
}

function extended(
  path: Path,
  { node, column, left, share }: { node: number; column: number; left: number; share: number },
): Path {
  const [nodes, lefts] = [
    [...path.nodes, node],
    [...path.lefts, left],
  ];
  const seen = path.columns.indexOf(column);
  if (seen < 0) return { columns: [...path.columns, column], shares: [...path.shares, share], nodes, lefts };
  const shares = path.shares.map((passed, i) => (i === seen ? passed * share : passed));
  return { columns: path.columns, shares, nodes, lefts };
}

/** Share of a node's training rows that a child got; 0 below a node that no row reached. */
function shareOf(tree: Tree, node: number, child: number): number {
  const cover = tree.cover[node] ?? 0;
  return cover > 0 ? (tree.cover[child] ?? 0) / cover : 0;
}
