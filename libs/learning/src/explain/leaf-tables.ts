import type { ShapForest } from './shap-forest.js';
import { fillLeafTable } from './shap-leaf.js';

/** Leaves of more distinct columns have no table. */
export const MAX_TABLE_COLUMNS = 14;

/** Tables of a forest's leaves by bit pattern of failing columns. */
export interface LeafTables {
  /** By leaf: where its table begins in `entries`; −1 where it has none. */
  at: Int32Array;
  /** The leaves that have none. */
  without: Int32Array;
  entries: Float64Array;
  /** By leaf and column of its path: what an entry is multiplied with where the column holds, and where it fails. */
  factors: Float64Array;
}

/** Tables for the leaves of few columns first, as far as `maxBytes` allow. */
export function leafTables(forest: ShapForest, maxBytes: number): LeafTables {
  const { leafStart, leafShare, leafValue } = forest;
  const widest = widestTable(leafStart, maxBytes);
  const at = new Int32Array(leafValue.length).fill(-1);
  const sharesOf = (leaf: number): Float64Array =>
    leafShare.subarray(leafStart[leaf] ?? 0, leafStart[leaf + 1] ?? 0);
  let length = 0;
  for (let leaf = 0; leaf < at.length; leaf++) {
    const shares = sharesOf(leaf);
    // Where no training row passes (a share of 0), the credit of a column that holds cannot be had from that of one that fails.
    if (shares.length > widest || shares.includes(0)) continue;
    at[leaf] = length;
    length += 2 ** shares.length;
  }
  const entries = new Float64Array(length);
  for (const [leaf, tableAt] of at.entries()) {
    if (tableAt >= 0) fillLeafTable(sharesOf(leaf), leafValue[leaf] ?? 0, { table: entries, at: tableAt });
  }
  const without = Int32Array.from([...at.keys()].filter((leaf) => (at[leaf] ?? -1) < 0));
  return { at, without, entries, factors: factorsOf(leafShare) };
}

/** The most columns of a leaf for which the tables of all leaves with as many or fewer fit; −1 for no table. */
function widestTable(leafStart: Int32Array, maxBytes: number): number {
  const leaves = new Int32Array(MAX_TABLE_COLUMNS + 1);
  for (let leaf = 0; leaf + 1 < leafStart.length; leaf++) {
    const d = (leafStart[leaf + 1] ?? 0) - (leafStart[leaf] ?? 0);
    if (d <= MAX_TABLE_COLUMNS) leaves[d] = (leaves[d] ?? 0) + 1;
  }
  let bytesLeft = maxBytes;
  for (const [d, count] of leaves.entries()) {
    bytesLeft -= count * 2 ** d * Float64Array.BYTES_PER_ELEMENT;
    if (bytesLeft < 0) return d - 1;
  }
  return MAX_TABLE_COLUMNS;
}

function factorsOf(shares: Float64Array): Float64Array {
  const factors = new Float64Array(2 * shares.length);
  for (const [i, share] of shares.entries()) factors.set([(share - 1) / share, 1], 2 * i);
  return factors;
}
