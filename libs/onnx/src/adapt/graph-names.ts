import { eachNode } from '../inspect/check-operators.js';
import type { OnnxGraph } from '../inspect/onnx-file.js';

/** Names for what is added to a graph, none of which the file uses. */
export interface GraphNames {
  input: string;
  output: string;
  own(name: string): string;
}

export function freeNames(graph: OnnxGraph): GraphNames {
  const taken = new Set<string>();
  const graphs = new Set([graph]);
  eachNode(graph, (node, of) => {
    graphs.add(of);
    for (const name of [node.name, ...node.inputs, ...node.outputs]) taken.add(name);
  });
  for (const each of graphs)
    for (const { name } of [...each.inputs, ...each.outputs, ...each.initializers]) taken.add(name);
  let prefix = 'sextant_';
  while ([...taken].some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
  const free = (name: string): string => (taken.has(name) ? `${prefix}${name}` : name);
  return { input: free('features'), output: free('probability'), own: (name) => `${prefix}${name}` };
}
