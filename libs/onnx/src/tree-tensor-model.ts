import { DomainError } from '@sextant/domain';
import type { Tree, TreeEnsemble } from '@sextant/learning';
import { attribute, castTo, constant, encodeModel, FLOAT, node, type OnnxModel } from './onnx-model.js';
import { writeGpuHead } from './gpu-head.js';
import type { OutputHead } from './output-head.js';
import { roundDownToFloat32 } from './round-down.js';

/** Trees × inner nodes × leaves of the largest tree: beyond this (64 MiB of float32) an ensemble is not written as tensors. */
export const MAX_TENSOR_ELEMENTS = 2 ** 24;

/**
 * The same function as `writeTreeModel` in tensor operations that a GPU runs (ONNX Runtime has no CUDA kernel for tree ensembles):
 * all tests of all trees at once, then per tree the leaf whose path they agree with, by a product of small integers, and its value.
 * Missing values go as trained; thresholds are rounded down to float32 as there. On a CPU it is 13 to 29 times slower.
 *
 * A GPU may multiply float32 matrices with 11 significant bits (TF32). Routing multiplies integers, which is exact at any tree size that
 * is written; leaf values are three summands of 11 bits each, so that their products are exact too. The operators are those that ONNX
 * Runtime's WebGPU provider has too: no float64, no IsNaN (a missing value is neither at most nor above its threshold), no Or.
 *
 * Input `features` FP32 [-1, columns] (NaN = missing), output by the head: `probability` or `log_units` FP32 [-1, 1].
 *
 * @returns  null for an ensemble of more than MAX_TENSOR_ELEMENTS trees × inner nodes × leaves
 * @throws DomainError FEATURE_VECTOR_MISMATCH when a tree reads a column beyond `columns`
 *
 * Source: Nakandala et al. (2020), "A tensor compiler for unified machine learning prediction serving" (Hummingbird), OSDI, the GEMM strategy.
 */
export function writeTreeTensorModel(
  ensemble: TreeEnsemble,
  columns: number,
  head: OutputHead,
): OnnxModel | null {
  const tensors = treeTensors(ensemble.trees, columns);
  if (tensors === null) return null;
  const { trees, inners, leaves } = tensors;
  const { nodes, initializers, output } = writeGpuHead(head);
  return encodeModel({
    name: 'tree-tensor-model',
    nodes: [...ROUTING, ...nodes],
    initializers: [
      constant('tested_columns', [trees * inners], tensors.columns),
      constant('thresholds', [1, trees * inners], tensors.thresholds),
      constant('one', [1], Float32Array.of(1)),
      constant('missing_left', [1, trees * inners], tensors.missingLeft),
      constant('by_tree', [3], BigInt64Array.of(-1n, BigInt(trees), BigInt(inners))),
      constant('paths', [trees, inners, leaves], tensors.paths),
      constant('left_turns', [trees, 1, leaves], tensors.leftTurns),
      constant('leaf_values', [trees, leaves, PARTS], tensors.values),
      constant('tree', [1], BigInt64Array.of(0n)),
      constant('part', [1], BigInt64Array.of(1n)),
      constant('base_score', [1], Float32Array.of(ensemble.baseScore)),
      ...initializers,
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, columns] },
    output,
  });
}

/** From `features` to `margin`, shape [batch, 1]. Sums of the large, middle and small summands are added last, so that little is lost. */
const ROUTING = [
  node('Gather', 'features tested_columns -> tested', [attribute.int('axis', 1)]),
  node('LessOrEqual', 'tested thresholds -> is_below'),
  node('Greater', 'tested thresholds -> is_above'),
  castTo(FLOAT, 'is_below -> below'),
  castTo(FLOAT, 'is_above -> above'),
  node('Add', 'below above -> known'),
  node('Sub', 'one known -> missing'),
  node('Mul', 'missing missing_left -> missing_turns'),
  node('Add', 'below missing_turns -> turns'),
  node('Reshape', 'turns by_tree -> turns_by_row'),
  node('Transpose', 'turns_by_row -> turns_by_tree', [attribute.ints('perm', [1, 0, 2])]),
  node('MatMul', 'turns_by_tree paths -> agreement'),
  node('Equal', 'agreement left_turns -> is_leaf'),
  castTo(FLOAT, 'is_leaf -> leaf'),
  node('MatMul', 'leaf leaf_values -> value_parts'),
  node('ReduceSum', 'value_parts tree -> part_sums', [attribute.int('keepdims', 0)]),
  node('ReduceSum', 'part_sums part -> sums', [attribute.int('keepdims', 1)]),
  node('Add', 'sums base_score -> margin'),
];

interface TreeTensors {
  trees: number;
  /** Inner nodes and leaves of the largest tree; smaller trees are padded. */
  inners: number;
  leaves: number;
  columns: BigInt64Array;
  thresholds: Float32Array;
  /** 1 where a missing value goes left. */
  missingLeft: Float32Array;
  /** 1 where the leaf is in the node's left subtree, −1 in its right, 0 elsewhere; shape [trees, inners, leaves]. */
  paths: Float32Array;
  /** Left turns on the way to the leaf: a row is in it exactly when its turns agree with the path that often. */
  leftTurns: Float32Array;
  /** Shape [trees, leaves, PARTS]. */
  values: Float32Array;
}

const PARTS = 3;
/** Agreement with a padded leaf is 0, so that nothing is ever in it. */
const NO_LEAF = -1;

function treeTensors(all: readonly Tree[], columns: number): TreeTensors | null {
  const count = (tree: Tree, isLeaf: boolean): number =>
    tree.feature.reduce((sum, feature) => sum + (feature < 0 === isLeaf ? 1 : 0), 0);
  const trees = Math.max(1, all.length);
  const inners = all.reduce((most, tree) => Math.max(most, count(tree, false)), 1);
  const leaves = all.reduce((most, tree) => Math.max(most, count(tree, true)), 1);
  if (trees * inners * leaves > MAX_TENSOR_ELEMENTS) return null;
  const tensors: TreeTensors = {
    ...{ trees, inners, leaves },
    columns: new BigInt64Array(trees * inners),
    thresholds: new Float32Array(trees * inners),
    missingLeft: new Float32Array(trees * inners),
    paths: new Float32Array(trees * inners * leaves),
    leftTurns: new Float32Array(trees * leaves).fill(NO_LEAF),
    values: new Float32Array(trees * leaves * PARTS),
  };
  for (const [at, tree] of all.entries()) new TreeFiller(tensors, { tree, at, columns }).fill(0, []);
  return tensors;
}

interface Turn {
  inner: number;
  isLeft: boolean;
}

/** Writes one tree into its slice of the tensors. */
class TreeFiller {
  private inner = 0;
  private leaf = 0;

  constructor(
    private readonly tensors: TreeTensors,
    private readonly source: { tree: Tree; at: number; columns: number },
  ) {}

  fill(nodeId: number, path: readonly Turn[]): void {
    const { tree, at, columns } = this.source;
    const feature = tree.feature[nodeId] ?? -1;
    if (feature < 0) {
      this.fillLeaf(tree.value[nodeId] ?? 0, path);
      return;
    }
    if (feature >= columns) {
      throw new DomainError(
        'FEATURE_VECTOR_MISMATCH',
        `tree ${at} reads column ${feature}, but there are ${columns}`,
      );
    }
    const inner = this.inner++;
    const place = at * this.tensors.inners + inner;
    this.tensors.columns[place] = BigInt(feature);
    this.tensors.thresholds[place] = roundDownToFloat32(tree.threshold[nodeId] ?? 0);
    this.tensors.missingLeft[place] = tree.defaultLeft[nodeId] ?? 0;
    this.fill(tree.left[nodeId] ?? 0, [...path, { inner, isLeft: true }]);
    this.fill(tree.right[nodeId] ?? 0, [...path, { inner, isLeft: false }]);
  }

  private fillLeaf(value: number, path: readonly Turn[]): void {
    const { inners, leaves, paths, leftTurns, values } = this.tensors;
    const [leaf, tree] = [this.leaf++, this.source.at];
    for (const { inner, isLeft } of path) paths[(tree * inners + inner) * leaves + leaf] = isLeft ? 1 : -1;
    leftTurns[tree * leaves + leaf] = path.filter(({ isLeft }) => isLeft).length;
    values.set(summands(value), (tree * leaves + leaf) * PARTS);
  }
}

/** Numbers of 11 significant bits that add up to the value, largest first. */
function summands(value: number): number[] {
  let rest = value;
  return Array.from({ length: PARTS }, () => {
    const part = roundTo11Bits(rest);
    rest -= part;
    return part;
  });
}

function roundTo11Bits(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  return Math.round(value / unit) * unit;
}
