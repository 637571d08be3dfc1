import { LIMITS } from './limits.js';
import { ModelRefused } from './model-refused.js';
import type { NumberList as Numbers } from './number-list.js';
import { NumberList } from './number-list.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode } from './onnx-file.js';
import { BYTES, ProtoReader, type Span } from './proto-reader.js';
import { readTensor } from './read-onnx-tensor.js';

/** What was read of the whole file so far. */
export interface Budget {
  nodes: number;
  attributes: number;
  /** numbers and texts in attributes */
  values: number;
  readGraph(reader: ProtoReader, budget: Budget, depth: number): OnnxGraph;
}

interface Place {
  span: Span;
  budget: Budget;
  depth: number;
}

/** @param reader  has just read the field that holds the node */
export function readNode(reader: ProtoReader, place: Place): OnnxNode {
  const { budget, span } = place;
  spend(++budget.nodes, LIMITS.nodes, 'nodes');
  const inner = new ProtoReader(reader.bytes, span);
  const node: OnnxNode = {
    field: reader.wholeField(),
    operator: '',
    domain: '',
    name: '',
    inputs: [],
    outputs: [],
    attributes: new Map(),
  };
  while (inner.next()) readField(node, inner, place);
  if (node.operator === '') throw reader.broken('a node names no operator');
  if (node.domain === 'ai.onnx') node.domain = '';
  return node;
}

function readField(node: OnnxNode, inner: ProtoReader, place: Place): void {
  if (inner.field === 1) node.inputs.push(nameOf(inner));
  else if (inner.field === 2) node.outputs.push(nameOf(inner));
  else if (inner.field === 3) node.name = nameOf(inner);
  else if (inner.field === 4) node.operator = nameOf(inner);
  else if (inner.field === 7) node.domain = nameOf(inner);
  else if (inner.field === 5) {
    const [name, attribute] = readAttribute(inner.message(), place);
    node.attributes.set(name, attribute);
  } else inner.skip();
  spend((place.budget.values += 1), LIMITS.attributeValues, 'values');
}

function readAttribute(reader: ProtoReader, { budget, depth }: Place): [string, OnnxAttribute] {
  spend(++budget.attributes, LIMITS.attributes, 'attributes');
  let name = '';
  const attribute: OnnxAttribute = {
    int: null,
    float: null,
    text: null,
    ints: new NumberList(),
    floats: new NumberList(),
    texts: [],
    tensors: [],
    graphs: [],
  };
  while (reader.next()) {
    if (reader.field === 1) name = nameOf(reader);
    else if (reader.field === 2) attribute.float = reader.float();
    else if (reader.field === 3) attribute.int = reader.varint();
    else if (reader.field === 4) attribute.text = reader.span();
    else if (reader.field === 5 || reader.field === 10) attribute.tensors.push(readTensor(reader));
    else if (reader.field === 6 || reader.field === 11)
      attribute.graphs.push(budget.readGraph(reader.message(), budget, depth + 1));
    else if (reader.field === 7) readFloats(attribute.floats, reader, budget);
    else if (reader.field === 8) readInts(attribute.ints, reader, budget);
    else if (reader.field === 9) {
      attribute.texts.push(reader.span());
      spend(++budget.values, LIMITS.attributeValues, 'values');
    } else reader.skip();
  }
  return [name, attribute];
}

function readInts(into: Numbers, reader: ProtoReader, budget: Budget): void {
  if (reader.wire === BYTES) {
    const packed = reader.message();
    while (packed.at < packed.end) {
      into.push(packed.signed());
      spend(++budget.values, LIMITS.attributeValues, 'values');
    }
    return;
  }
  into.push(reader.varint());
  spend(++budget.values, LIMITS.attributeValues, 'values');
}

function readFloats(into: Numbers, reader: ProtoReader, budget: Budget): void {
  if (reader.wire === BYTES) {
    const packed = reader.message();
    while (packed.at < packed.end) {
      into.push(packed.view(4).getFloat32(0, true));
      spend(++budget.values, LIMITS.attributeValues, 'values');
    }
    return;
  }
  into.push(reader.float());
  spend(++budget.values, LIMITS.attributeValues, 'values');
}

function nameOf(reader: ProtoReader): string {
  const name = reader.text();
  if (name.length > LIMITS.name) throw reader.broken(`a name has more than ${LIMITS.name} characters`);
  return name;
}

function spend(used: number, most: number, what: string): void {
  if (used <= most) return;
  throw new ModelRefused(
    'GRAPH_TOO_LARGE',
    `the graph has more than ${most.toLocaleString('en')} ${what}; simplify it before the export`,
  );
}
