import { eachNode } from './check-operators.js';
import { LIMITS } from './limits.js';
import { ModelRefused, shown } from './model-refused.js';
import type { OnnxFile, OnnxGraph, OnnxNode, OnnxTensor } from './onnx-file.js';

/** Operators that make a large tensor of few bytes, and the input that says how large: sizes, or factors. */
const MAKERS: Readonly<Record<string, { input: number; kind: 'sizes' | 'factors' }>> = {
  ConstantOfShape: { input: 0, kind: 'sizes' },
  Expand: { input: 1, kind: 'sizes' },
  Tile: { input: 1, kind: 'factors' },
  Range: { input: 1, kind: 'sizes' },
  OneHot: { input: 1, kind: 'sizes' },
  Resize: { input: 3, kind: 'sizes' },
  RandomNormal: { input: -1, kind: 'sizes' },
  RandomUniform: { input: -1, kind: 'sizes' },
};
const ELEMENT_BYTES = 4;

/**
 * Bombs that show in the file: nodes whose constant arguments ask for more memory than a tensor may take. Those that make their
 * sizes while they run meet the memory limit of the process that tries the file.
 *
 * @throws ModelRefused GRAPH_TOO_LARGE
 */
export function checkGrowth(file: OnnxFile): void {
  const constants = constantsOf(file.graph);
  /** elements that a tensor has at least, along chains of makers */
  const grown = new Map<string, number>();
  eachNode(file.graph, (node) => {
    const maker = node.domain === '' ? MAKERS[node.operator] : undefined;
    const elements = maker ? madeBy(node, maker, { constants, grown }) : carried(node, grown);
    if (elements * ELEMENT_BYTES > LIMITS.tensorBytes) {
      throw new ModelRefused(
        'GRAPH_TOO_LARGE',
        `${node.operator} ${shown(node.name || (node.outputs[0] ?? ''))} makes ${elements.toExponential(1)} elements out of constants, ${(LIMITS.tensorBytes / ELEMENT_BYTES).toExponential(1)} are allowed`,
      );
    }
    if (elements > 1) for (const name of node.outputs) grown.set(name, elements);
  });
}

interface Known {
  constants: ReadonlyMap<string, OnnxTensor>;
  grown: ReadonlyMap<string, number>;
}

function madeBy(
  node: OnnxNode,
  { input, kind }: { input: number; kind: 'sizes' | 'factors' },
  { constants, grown }: Known,
): number {
  const own = grown.get(node.inputs[0] ?? '') ?? sizeOf(constants.get(node.inputs[0] ?? ''));
  const sizes =
    input < 0
      ? [...(node.attributes.get('shape')?.ints.toArray() ?? [])]
      : (constants.get(node.inputs[input] ?? '')?.ints ?? []);
  const product = sizes.reduce((all, size) => all * Math.max(1, size), 1);
  if (node.operator === 'OneHot') return product * Math.max(1, own);
  return kind === 'factors' ? product * Math.max(1, own) : product;
}

/** Joining a tensor with itself doubles it; other nodes are taken to keep no more than their largest input. */
function carried(node: OnnxNode, grown: ReadonlyMap<string, number>): number {
  if (node.domain !== '' || node.operator !== 'Concat') return 1;
  return node.inputs.reduce((sum, name) => sum + (grown.get(name) ?? 1), 0);
}

function constantsOf(graph: OnnxGraph): Map<string, OnnxTensor> {
  const constants = new Map<string, OnnxTensor>();
  const add = (of: OnnxGraph): void => {
    for (const tensor of of.initializers) constants.set(tensor.name, tensor);
  };
  add(graph);
  eachNode(graph, (node, inner) => {
    if (inner !== graph) add(inner);
    const [value] = node.attributes.get('value')?.tensors ?? [];
    const [output] = node.outputs;
    if (node.operator === 'Constant' && value && output !== undefined) constants.set(output, value);
  });
  return constants;
}

function sizeOf(tensor: OnnxTensor | undefined): number {
  return tensor ? tensor.dims.reduce((product, size) => product * size, 1) : 1;
}
