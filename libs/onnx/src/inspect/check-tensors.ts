import { eachNode } from './check-operators.js';
import { LIMITS } from './limits.js';
import { ModelRefused, shown } from './model-refused.js';
import { ELEMENT_TYPES, elementTypeName, type OnnxFile, type OnnxTensor } from './onnx-file.js';

/**
 * Whether every tensor of the file holds what its shape says, all within limits, and none lies in another file.
 *
 * @throws ModelRefused EXTERNAL_DATA_MISSING, GRAPH_TOO_LARGE, GRAPH_INVALID
 */
export function checkTensors(file: OnnxFile): void {
  const sizes = { total: 0 };
  const check = (tensor: OnnxTensor): void => {
    sizes.total += checkTensor(tensor);
    if (sizes.total > LIMITS.initializerBytes)
      throw tooLarge('its tensors', sizes.total, LIMITS.initializerBytes);
  };
  const graphs = new Set([file.graph]);
  eachNode(file.graph, (node, graph) => {
    graphs.add(graph);
    for (const attribute of node.attributes.values()) attribute.tensors.forEach(check);
  });
  for (const graph of graphs) {
    if (graph.sparseInitializers > 0)
      throw new ModelRefused(
        'OPERATOR_UNSUPPORTED',
        'the graph holds sparse initializers; export dense ones',
      );
    graph.initializers.forEach(check);
  }
  for (const { nodes } of file.functions)
    for (const node of nodes) for (const { tensors } of node.attributes.values()) tensors.forEach(check);
}

/** @returns bytes that its shape takes */
function checkTensor(tensor: OnnxTensor): number {
  const { name, dims, elementType, raw, elements, external } = tensor;
  if (external) throw externalData(name, external.location);
  const type = ELEMENT_TYPES[elementType];
  if (!type) {
    throw new ModelRefused(
      'OPERATOR_UNSUPPORTED',
      `tensor ${shown(name)} is of ${elementTypeName(elementType)}, which is not served`,
    );
  }
  const count = dims.reduce((product, size) => product * size, 1);
  if (dims.some((size) => size < 0)) throw invalid(name, `has a negative dimension (${dims.join(', ')})`);
  const bytes = count * Math.max(1, type.bytes);
  if (bytes > LIMITS.tensorBytes) throw tooLarge(`tensor ${shown(name)}`, bytes, LIMITS.tensorBytes);
  const held = raw ? (raw.end - raw.start) / Math.max(1, type.bytes) : elements;
  if (held !== count) {
    throw invalid(name, `has the shape [${dims.join(', ')}], which is ${count} elements, and holds ${held}`);
  }
  return bytes;
}

function externalData(name: string, location: string): ModelRefused {
  const where = shown(location);
  const escapes = /^([/\\]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)/i.test(location);
  const why = escapes
    ? `${where}, a path outside of the model's folder`
    : `the file ${where}, which did not come with it`;
  return new ModelRefused(
    'EXTERNAL_DATA_MISSING',
    `tensor ${shown(name)} has its data in ${why}: export one file (onnx.save with save_as_external_data=False)`,
  );
}

function invalid(name: string, why: string): ModelRefused {
  return new ModelRefused('GRAPH_INVALID', `tensor ${shown(name)} ${why}`);
}

function tooLarge(what: string, bytes: number, most: number): ModelRefused {
  const mib = (of: number): string => `${Math.round(of / 1024 ** 2).toLocaleString('en')} MiB`;
  return new ModelRefused('GRAPH_TOO_LARGE', `${what} would take ${mib(bytes)}, ${mib(most)} are allowed`);
}
