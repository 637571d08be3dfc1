import { eachNode } from './check-operators.js';
import { ModelRefused, shown } from './model-refused.js';
import type { OnnxFile, OnnxNode } from './onnx-file.js';
import { textOf } from './read-onnx-file.js';

const ENSEMBLES = ['TreeEnsembleClassifier', 'TreeEnsembleRegressor'];
/** Columns that one node of a tree may name; far above every model. */
const MAX_FEATURE = 1_000_000;

/**
 * Whether the trees of each ensemble are trees: every branch leads to a node of the same tree that nothing else leads to. A circle
 * among them would run for ever, and only for the rows that reach it.
 *
 * @throws ModelRefused GRAPH_INVALID naming ensemble, tree and node
 */
export function checkTrees(file: OnnxFile): void {
  eachNode(file.graph, (node) => {
    if (node.domain === 'ai.onnx.ml' && ENSEMBLES.includes(node.operator)) checkEnsemble(file, node);
  });
}

function checkEnsemble(file: OnnxFile, node: OnnxNode): void {
  const ints = (name: string): Float64Array =>
    node.attributes.get(name)?.ints.toArray() ?? new Float64Array();
  const trees = ints('nodes_treeids');
  const ids = ints('nodes_nodeids');
  const lists = {
    ids,
    features: ints('nodes_featureids'),
    yes: ints('nodes_truenodeids'),
    no: ints('nodes_falsenodeids'),
  };
  const modes = (node.attributes.get('nodes_modes')?.texts ?? []).map((span) => textOf(file.bytes, span));
  for (const [name, { length }] of Object.entries({ ...lists, modes })) {
    if (length !== trees.length)
      throw invalid(node, `lists ${trees.length} nodes and ${length} of their ${name}`);
  }
  for (const each of Object.values(lists))
    if (each.some((id) => !Number.isInteger(id) || id < 0))
      throw invalid(node, 'has a negative or no number');
  if (lists.features.some((column) => column > MAX_FEATURE))
    throw invalid(node, 'reads a column without bounds');
  checkBranches(node, { trees, ...lists, modes });
}

interface Lists {
  trees: Float64Array;
  ids: Float64Array;
  yes: Float64Array;
  no: Float64Array;
  modes: readonly string[];
}

/**
 * Node ids of a tree are any numbers; their order of appearance makes indices of them. Several branches may lead to one node: the
 * converter of LightGBM writes membership of a set so.
 */
function checkBranches(node: OnnxNode, { trees, ids, yes, no, modes }: Lists): void {
  const places = new Map<number, Map<number, number>>();
  for (const [i, tree] of trees.entries()) {
    const own = places.get(tree) ?? new Map<number, number>();
    if (own.has(ids[i] ?? 0)) throw invalid(node, `tree ${tree} has node ${ids[i]} twice`);
    own.set(ids[i] ?? 0, i);
    places.set(tree, own);
  }
  const children = modes.map((mode, i): [number, number] | null => {
    if (mode === 'LEAF') return null;
    const own = places.get(trees[i] ?? 0);
    return [placeOf(yes[i] ?? 0), placeOf(no[i] ?? 0)];

    function placeOf(child: number): number {
      const at = own?.get(child);
      if (at !== undefined) return at;
      throw invalid(node, `node ${ids[i]} of tree ${trees[i]} leads to ${child}, which is not there`);
    }
  });
  const stuck = firstInCircle(children);
  if (stuck !== null) throw invalid(node, `tree ${trees[stuck]} has branches that go in a circle`);
}

/** Nodes are taken off from the roots down; what is left leads into itself. (Kahn, 1962.) */
function firstInCircle(children: readonly ([number, number] | null)[]): number | null {
  const parents = new Uint32Array(children.length);
  for (const pair of children) for (const child of pair ?? []) parents[child] = (parents[child] ?? 0) + 1;
  const free = [...parents.keys()].filter((at) => parents[at] === 0);
  let taken = 0;
  for (let at = free.pop(); at !== undefined; at = free.pop()) {
    taken += 1;
    for (const child of children[at] ?? []) {
      parents[child] = (parents[child] ?? 0) - 1;
      if (parents[child] === 0) free.push(child);
    }
  }
  return taken === children.length ? null : parents.findIndex((count) => count > 0);
}

function invalid(node: OnnxNode, why: string): ModelRefused {
  return new ModelRefused('GRAPH_INVALID', `${node.operator} ${shown(node.name)} ${why}`);
}
