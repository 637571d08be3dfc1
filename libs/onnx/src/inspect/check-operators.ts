import { LIMITS, OPSETS } from './limits.js';
import { ModelRefused, shown } from './model-refused.js';
import type { OnnxFile, OnnxFunction, OnnxGraph, OnnxNode } from './onnx-file.js';

/**
 * Operator sets, functions and loops. Whether the runtime has each operator of a set it says itself, when the file is opened.
 *
 * @throws ModelRefused OPSET_UNSUPPORTED, OPERATOR_UNSUPPORTED, GRAPH_TOO_LARGE, GRAPH_INVALID
 */
export function checkOperators(file: OnnxFile): void {
  const own = new Map(file.functions.map((each) => [keyOf(each.domain, each.name), each]));
  for (const [domain, version] of file.opsets) {
    if (file.functions.some((each) => each.domain === domain)) continue;
    checkOpset(domain, version);
  }
  eachNode(file.graph, (node) => checkNode(node, file.graph, own));
  for (const each of file.functions)
    for (const node of each.nodes) eachNodeOf(node, (inner) => checkNode(inner, null, own));
  checkExpansion(file, own);
}

/** Calls with each node of a graph and of the graphs within. */
export function eachNode(graph: OnnxGraph, visit: (node: OnnxNode, graph: OnnxGraph) => void): void {
  for (const node of graph.nodes) {
    visit(node, graph);
    for (const { graphs } of node.attributes.values()) for (const inner of graphs) eachNode(inner, visit);
  }
}

function eachNodeOf(node: OnnxNode, visit: (node: OnnxNode) => void): void {
  visit(node);
  for (const { graphs } of node.attributes.values()) for (const inner of graphs) eachNode(inner, visit);
}

function checkOpset(domain: string, version: number): void {
  const known = OPSETS[domain];
  if (!known || !Object.hasOwn(OPSETS, domain)) return;
  if (version >= known.least && version <= known.most) return;
  throw new ModelRefused(
    'OPSET_UNSUPPORTED',
    `the file needs operator set ${domain || 'ai.onnx'} ${version}, ${known.least} to ${known.most} are served: export it with another target_opset`,
  );
}

function checkNode(node: OnnxNode, graph: OnnxGraph | null, own: ReadonlyMap<string, OnnxFunction>): void {
  if (!Object.hasOwn(OPSETS, node.domain) && !own.has(keyOf(node.domain, node.operator))) {
    throw new ModelRefused(
      'OPERATOR_UNSUPPORTED',
      `operator ${shown(node.operator)} is of ${shown(node.domain)}, which is no operator set of the runtime: custom operators are not loaded`,
    );
  }
  if (node.operator !== 'Loop' || node.domain !== '') return;
  const trips = graph?.initializers.find(({ name }) => name === node.inputs[0])?.ints[0];
  if (trips !== undefined && trips >= 0 && trips <= LIMITS.tripCount) return;
  throw new ModelRefused(
    'GRAPH_TOO_LARGE',
    `loop ${shown(node.name)} has no constant trip count of at most ${LIMITS.tripCount.toLocaleString('en')}: how long a run takes must not depend on the row`,
  );
}

/** Functions that call each other double with every level; a file of a page can stand for 2^60 nodes. */
function checkExpansion(file: OnnxFile, own: ReadonlyMap<string, OnnxFunction>): void {
  if (own.size !== file.functions.length) throw new ModelRefused('GRAPH_INVALID', 'a function comes twice');
  const sizes = new Map<OnnxFunction, number>();
  const open = new Set<OnnxFunction>();
  const sizeOf = (nodes: readonly OnnxNode[]): number => {
    let size = 0;
    for (const node of nodes) {
      eachNodeOf(node, (inner) => {
        const called = own.get(keyOf(inner.domain, inner.operator));
        size += called ? functionSize(called) : 1;
      });
    }
    return size;
  };
  const functionSize = (called: OnnxFunction): number => {
    const known = sizes.get(called);
    if (known !== undefined) return known;
    if (open.has(called) || open.size > 100) {
      throw new ModelRefused('GRAPH_TOO_LARGE', `function ${shown(called.name)} calls itself`);
    }
    open.add(called);
    const size = sizeOf(called.nodes);
    open.delete(called);
    sizes.set(called, size);
    return size;
  };
  const total = sizeOf(file.graph.nodes);
  if (total <= LIMITS.nodes) return;
  throw new ModelRefused(
    'GRAPH_TOO_LARGE',
    `its functions make ${total.toExponential(1)} nodes of it, ${LIMITS.nodes.toLocaleString('en')} are allowed`,
  );
}

function keyOf(domain: string, name: string): string {
  return `${domain}::${name}`;
}
