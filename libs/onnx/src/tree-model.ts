import { DomainError } from '@sextant/domain';
import type { Tree, TreeEnsemble } from '@sextant/learning';
import { attribute, encodeModel, FLOAT, node, type OnnxModel } from './onnx-model.js';
import { type OutputHead, writeHead } from './output-head.js';
import { roundDownToFloat32 } from './round-down.js';

/**
 * A sum of regression trees as one `TreeEnsembleRegressor` (ai.onnx.ml 3), numerical splits only. Thresholds are rounded down to
 * float32: for a float32 feature x, x <= threshold then holds exactly when it held before rounding, so every row reaches the same leaf.
 *
 * Input `features` FP32 [-1, columns] (NaN = missing), output by the head: `probability` or `log_units` FP32 [-1, 1].
 *
 * @throws DomainError FEATURE_VECTOR_MISMATCH when a tree reads a column beyond `columns`
 */
export function writeTreeModel(ensemble: TreeEnsemble, columns: number, head: OutputHead): OnnxModel {
  const { nodes, initializers, output } = writeHead(head, FLOAT);
  const regressor = node(
    'TreeEnsembleRegressor',
    'features -> margin',
    ensembleAttributes(ensemble, columns),
  );
  return encodeModel({
    name: 'tree-model',
    nodes: [regressor, ...nodes],
    initializers,
    input: { name: 'features', datatype: 'FP32', shape: [-1, columns] },
    output,
  });
}

interface TreeColumns {
  treeIds: number[];
  nodeIds: number[];
  features: number[];
  thresholds: number[];
  modes: string[];
  left: number[];
  right: number[];
  missingLeft: number[];
  leafTrees: number[];
  leafNodes: number[];
  leafValues: number[];
}

/** Attributes of a `TreeEnsembleRegressor` that sums the trees. */
export function ensembleAttributes(ensemble: TreeEnsemble, columns: number): object[] {
  const table: TreeColumns = {
    treeIds: [],
    nodeIds: [],
    features: [],
    thresholds: [],
    modes: [],
    left: [],
    right: [],
    missingLeft: [],
    leafTrees: [],
    leafNodes: [],
    leafValues: [],
  };
  const trees = ensemble.trees.length > 0 ? ensemble.trees : [SINGLE_LEAF];
  for (const [treeId, tree] of trees.entries()) appendTree(table, { tree, treeId, columns });
  return [
    attribute.ints('nodes_treeids', table.treeIds),
    attribute.ints('nodes_nodeids', table.nodeIds),
    attribute.ints('nodes_featureids', table.features),
    attribute.floats('nodes_values', table.thresholds),
    attribute.strings('nodes_modes', table.modes),
    attribute.ints('nodes_truenodeids', table.left),
    attribute.ints('nodes_falsenodeids', table.right),
    attribute.ints('nodes_missing_value_tracks_true', table.missingLeft),
    attribute.ints('target_treeids', table.leafTrees),
    attribute.ints('target_nodeids', table.leafNodes),
    attribute.ints('target_ids', new Array<number>(table.leafNodes.length).fill(0)),
    attribute.floats('target_weights', table.leafValues),
    attribute.floats('base_values', [ensemble.baseScore]),
    attribute.int('n_targets', 1),
    attribute.string('aggregate_function', 'SUM'),
    attribute.string('post_transform', 'NONE'),
  ];
}

function appendTree(
  table: TreeColumns,
  { tree, treeId, columns }: { tree: Tree; treeId: number; columns: number },
): void {
  for (const [nodeId, feature] of tree.feature.entries()) {
    if (feature >= columns) {
      throw new DomainError(
        'FEATURE_VECTOR_MISMATCH',
        `tree ${treeId} reads column ${feature}, but there are ${columns}`,
      );
    }
    const isLeaf = feature < 0;
    table.treeIds.push(treeId);
    table.nodeIds.push(nodeId);
    table.modes.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
    table.features.push(isLeaf ? 0 : feature);
    table.thresholds.push(isLeaf ? 0 : roundDownToFloat32(tree.threshold[nodeId] ?? 0));
    table.left.push(isLeaf ? 0 : (tree.left[nodeId] ?? 0));
    table.right.push(isLeaf ? 0 : (tree.right[nodeId] ?? 0));
    table.missingLeft.push(isLeaf ? 0 : (tree.defaultLeft[nodeId] ?? 0));
    if (!isLeaf) continue;
    table.leafTrees.push(treeId);
    table.leafNodes.push(nodeId);
    table.leafValues.push(tree.value[nodeId] ?? 0);
  }
}

/** Stands for an ensemble without trees, which the operator does not accept. */
const SINGLE_LEAF: Tree = {
  feature: Int32Array.of(-1),
  threshold: new Float64Array(1),
  left: Int32Array.of(-1),
  right: Int32Array.of(-1),
  defaultLeft: new Uint8Array(1),
  value: new Float64Array(1),
  cover: new Float64Array(1),
};
