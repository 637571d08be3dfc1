import { LIMITS } from './limits.js';
import { ModelRefused, shown } from './model-refused.js';
import type { OnnxFile, OnnxFunction, OnnxGraph, OnnxValue } from './onnx-file.js';
import { ProtoReader, type Span } from './proto-reader.js';
import { type Budget, readNode } from './read-onnx-node.js';
import { readTensor } from './read-onnx-tensor.js';

/**
 * Reads the structure of an ONNX model: one pass, memory in proportion to its nodes, no data copied.
 *
 * @throws ModelRefused NOT_ONNX for bytes that are no whole model, GRAPH_TOO_LARGE beyond `LIMITS`
 *
 * Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function readOnnxFile(bytes: Uint8Array): OnnxFile {
  const model = new ProtoReader(bytes);
  if (bytes.byteLength === 0) throw model.broken('it is empty');
  const budget: Budget = { nodes: 0, attributes: 0, values: 0, readGraph };
  const found: Partial<OnnxFile> = {};
  const opsets = new Map<string, number>();
  const functions: OnnxFunction[] = [];
  while (model.next()) {
    if (model.field === 1) found.irVersion = model.varint();
    else if (model.field === 2) found.producer = model.text();
    else if (model.field === 7) {
      if (found.graph) throw model.broken('it holds two graphs');
      found.graph = readGraph(model.message(), budget, 0);
      found.graphField = model.wholeField();
    } else if (model.field === 8) addOpset(opsets, model.message());
    else if (model.field === 25) functions.push(readFunction(model.message(), budget));
    else if (model.field > 26) throw model.broken(`a model has no field ${model.field}`);
    else model.skip();
  }
  const { graph, graphField, irVersion = 0, producer = '' } = found;
  if (!graph || !graphField) throw model.broken('it holds no graph');
  if (irVersion < 1) throw model.broken('it names no version of its format');
  if (opsets.size === 0) throw model.broken('it names no operator set');
  return { bytes, irVersion, producer, opsets, graph, graphField, functions };
}

function readGraph(reader: ProtoReader, budget: Budget, depth: number): OnnxGraph {
  if (depth > LIMITS.depth) {
    throw new ModelRefused('GRAPH_TOO_LARGE', `graphs lie more than ${LIMITS.depth} deep in each other`);
  }
  const graph: OnnxGraph = {
    nodes: [],
    initializers: [],
    sparseInitializers: 0,
    inputs: [],
    outputs: [],
    rest: [],
  };
  while (reader.next()) {
    if (reader.field === 1) {
      const span = reader.span();
      graph.nodes.push(readNode(reader, { span, budget, depth }));
    } else if (reader.field === 5) graph.initializers.push(readTensor(reader));
    else if (reader.field === 11) graph.inputs.push(readValue(reader));
    else if (reader.field === 12) graph.outputs.push(readValue(reader));
    else if (reader.field > 16) throw reader.broken(`a graph has no field ${reader.field}`);
    else {
      if (reader.field === 15) graph.sparseInitializers += 1;
      reader.skip();
      graph.rest.push(reader.wholeField());
    }
    if (graph.initializers.length + graph.inputs.length + graph.outputs.length > LIMITS.nodes)
      throw new ModelRefused('GRAPH_TOO_LARGE', `a graph has more than ${LIMITS.nodes} tensors`);
  }
  return graph;
}

function readFunction(reader: ProtoReader, budget: Budget): OnnxFunction {
  const read: OnnxFunction = { name: '', domain: '', nodes: [], opsets: new Map() };
  while (reader.next()) {
    if (reader.field === 1) read.name = reader.text();
    else if (reader.field === 7) {
      const span = reader.span();
      read.nodes.push(readNode(reader, { span, budget, depth: 1 }));
    } else if (reader.field === 9) addOpset(read.opsets, reader.message());
    else if (reader.field === 10) read.domain = reader.text();
    else reader.skip();
  }
  return read;
}

function addOpset(opsets: Map<string, number>, reader: ProtoReader): void {
  let domain = '';
  let version = 0;
  while (reader.next()) {
    if (reader.field === 1) domain = reader.text();
    else if (reader.field === 2) version = reader.varint();
    else reader.skip();
  }
  if (domain.length > LIMITS.name) throw reader.broken('the name of an operator set is too long');
  opsets.set(domain === 'ai.onnx' ? '' : domain, version);
}

function readValue(reader: ProtoReader): OnnxValue {
  const inner = reader.message();
  const value: OnnxValue = { field: reader.wholeField(), name: '', tensor: null };
  while (inner.next()) {
    if (inner.field === 1) value.name = inner.text();
    else if (inner.field === 2) value.tensor = readType(inner.message());
    else inner.skip();
  }
  if (value.name.length > LIMITS.name) throw reader.broken(`the name ${shown(value.name)} is too long`);
  return value;
}

function readType(reader: ProtoReader): OnnxValue['tensor'] {
  let tensor: OnnxValue['tensor'] = null;
  while (reader.next()) {
    if (reader.field === 1) tensor = readTensorType(reader.message());
    else reader.skip();
  }
  return tensor;
}

function readTensorType(reader: ProtoReader): OnnxValue['tensor'] {
  let elementType = 0;
  let shape: number[] | null = null;
  while (reader.next()) {
    if (reader.field === 1) elementType = reader.varint();
    else if (reader.field === 2) shape = readShape(reader.message());
    else reader.skip();
  }
  return { elementType, shape };
}

/** Sizes; -1 where a dimension is named or open. */
function readShape(reader: ProtoReader): number[] {
  const shape: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) shape.push(readDimension(reader.message()));
    else reader.skip();
    if (shape.length > LIMITS.rank) throw reader.broken(`a tensor has more than ${LIMITS.rank} dimensions`);
  }
  return shape;
}

function readDimension(reader: ProtoReader): number {
  let size = -1;
  while (reader.next()) {
    if (reader.field === 1) size = reader.varint();
    else reader.skip();
  }
  return size < 0 ? -1 : size;
}

/** The bytes of a span. */
export function textOf(bytes: Uint8Array, { start, end }: Span): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
