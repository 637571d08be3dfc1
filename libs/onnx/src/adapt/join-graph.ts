import { ModelRefused } from '../inspect/model-refused.js';
import type { OnnxFile, OnnxGraph, OnnxNode } from '../inspect/onnx-file.js';
import { shown } from '../inspect/model-refused.js';
import { encodeGraphFields, encodeOpsetField, type OnnxTensor } from '../onnx-model.js';
import type { AddedNodes } from './added-nodes.js';

export interface Join {
  /** the tensor of the file that the nodes after it start from */
  wanted: string;
  before: AddedNodes;
  after: AddedNodes;
  inputs: readonly OnnxTensor[];
  outputs: readonly OnnxTensor[];
}

const GRAPH_TAG = Uint8Array.of((7 << 3) | 2);
/** Of the default operator set, for files that need none of it themselves. */
const OPSET = 17;

/**
 * The file with nodes before and after, a signature of its own, and without what the wanted tensor does not need. What is kept is
 * copied as it is.
 *
 * @throws ModelRefused OUTPUT_MISMATCH when nothing of the file makes the tensor
 */
export function joinGraph(file: OnnxFile, { wanted, before, after, inputs, outputs }: Join): Uint8Array {
  const { graph, bytes } = file;
  const needed = neededBy(graph, wanted);
  if (needed.nodes.length === 0) {
    throw new ModelRefused('OUTPUT_MISMATCH', `no node of the graph makes the output ${shown(wanted)}`);
  }
  const kept = [
    ...needed.nodes.map(({ field }) => field),
    ...graph.initializers.filter(({ name }) => needed.names.has(name)).map(({ field }) => field),
  ];
  const signature = { input: inputs, output: outputs };
  const pieces = [
    encodeGraphFields({
      name: 'imported',
      node: before.nodes,
      initializer: before.initializers,
      ...signature,
    }),
    ...kept.map(({ start, end }) => bytes.subarray(start, end)),
    encodeGraphFields({ node: after.nodes, initializer: after.initializers, input: [], output: [] }),
  ];
  return Buffer.concat([
    bytes.subarray(0, file.graphField.start),
    GRAPH_TAG,
    varint(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)),
    ...pieces,
    bytes.subarray(file.graphField.end),
    ...(file.opsets.has('') ? [] : [encodeOpsetField('', OPSET)]),
  ]);
}

/** The nodes that a tensor depends on, in their order, and all names that they read. */
function neededBy(graph: OnnxGraph, wanted: string): { nodes: OnnxNode[]; names: Set<string> } {
  const maker = new Map<string, OnnxNode>();
  for (const each of graph.nodes) for (const name of each.outputs) maker.set(name, each);
  const names = new Set([wanted]);
  const found = new Set<OnnxNode>();
  const open = [wanted];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const made = maker.get(name);
    if (!made || found.has(made)) continue;
    found.add(made);
    for (const read of readBy(made)) {
      if (names.has(read)) continue;
      names.add(read);
      open.push(read);
    }
  }
  return { nodes: graph.nodes.filter((each) => found.has(each)), names };
}

/** Graphs inside a node read names from outside too. */
function readBy(of: OnnxNode): string[] {
  const inner = [...of.attributes.values()].flatMap(({ graphs }) => graphs);
  return [
    ...of.inputs,
    ...inner.flatMap(({ nodes, outputs }) => [...nodes.flatMap(readBy), ...outputs.map(({ name }) => name)]),
  ];
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
