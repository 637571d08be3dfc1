import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** A tensor of a model's signature; -1 is the batch dimension. */
export interface OnnxTensor {
  name: string;
  datatype: 'FP32' | 'FP64';
  shape: number[];
}

/** A written model and the description that the manifest's `onnx` field takes. */
export interface OnnxModel {
  bytes: Uint8Array;
  /** The same function in operations that a GPU runs; absent where `bytes` runs there or no such form was written. */
  gpuBytes?: Uint8Array;
  opset: number;
  inputs: OnnxTensor[];
  outputs: OnnxTensor[];
}

export interface Graph {
  name: string;
  nodes: readonly object[];
  initializers: readonly object[];
  input: OnnxTensor;
  output: OnnxTensor;
}

export interface GraphFields {
  name?: string;
  node: readonly object[];
  initializer: readonly object[];
  input: readonly OnnxTensor[];
  output: readonly OnnxTensor[];
}

/** Element types of TensorProto. */
export const FLOAT = 1;
export const DOUBLE = 11;
const BOOL = 9;
const INT64 = 7;

const OPSET = 17;
const ML_DOMAIN = 'ai.onnx.ml';
const ML_OPSET = 3;
/** The format version that opset 17 came with (ONNX 1.12). */
const IR_VERSION = 8;

const { root } = protobuf.parse(
  readFileSync(new URL('../proto/onnx-subset.proto', import.meta.url), 'utf8'),
  {
    keepCase: true,
  },
);
const modelProto = root.lookupType('sextant.onnx.ModelProto');
const graphProto = root.lookupType('sextant.onnx.GraphProto');

/** Serialises a graph of one input and one output. */
export function encodeModel({ name, nodes, initializers, input, output }: Graph): OnnxModel {
  const graph = {
    name,
    node: nodes,
    initializer: initializers,
    input: [valueInfo(input)],
    output: [valueInfo(output)],
  };
  return { bytes: encodeGraph(graph), opset: OPSET, inputs: [input], outputs: [output] };
}

/** @param graph  fields of a GraphProto */
export function encodeGraph(graph: object): Uint8Array {
  const model = {
    ir_version: IR_VERSION,
    producer_name: 'sextant',
    graph,
    opset_import: [
      { domain: '', version: OPSET },
      { domain: ML_DOMAIN, version: ML_OPSET },
    ],
  };
  return modelProto.encode(model).finish();
}

/** Fields of a GraphProto, to be joined with others: repeated ones add up. */
export function encodeGraphFields({ input, output, ...fields }: GraphFields): Uint8Array {
  return graphProto
    .encode({ ...fields, input: input.map(valueInfo), output: output.map(valueInfo) })
    .finish();
}

/** The field of a model that names one more operator set. */
export function encodeOpsetField(domain: string, version: number): Uint8Array {
  return modelProto.encode({ opset_import: [{ domain, version }] }).finish();
}

/** @param names  inputs and outputs separated by "->", e.g. `history weights -> scores` */
export function node(operator: string, names: string, attributes: readonly object[] = []): object {
  const [input = '', output = ''] = names.split('->');
  return {
    op_type: operator,
    name: `${operator}_${output.trim()}`,
    input: input.trim().split(/\s+/),
    output: output.trim().split(/\s+/),
    attribute: attributes,
    domain: operator.startsWith('TreeEnsemble') ? ML_DOMAIN : '',
  };
}

export function castTo(type: typeof FLOAT | typeof DOUBLE, names: string): object {
  return node('Cast', names, [{ name: 'to', i: type, type: 2 }]);
}

/** A constant tensor; Float32Array becomes FLOAT, Float64Array DOUBLE, BigInt64Array INT64, Uint8Array (0 or 1) BOOL. */
export function constant(
  name: string,
  dims: number[],
  values: Float32Array | Float64Array | BigInt64Array | Uint8Array,
): object {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dims, data_type: elementTypeOf(values), raw_data: raw };
}

function elementTypeOf(values: Float32Array | Float64Array | BigInt64Array | Uint8Array): number {
  if (values instanceof Float32Array) return FLOAT;
  if (values instanceof Uint8Array) return BOOL;
  return values instanceof Float64Array ? DOUBLE : INT64;
}

export const attribute = {
  floats: (name: string, floats: number[]): object => ({ name, floats, type: 6 }),
  int: (name: string, i: number): object => ({ name, i, type: 2 }),
  ints: (name: string, ints: number[]): object => ({ name, ints, type: 7 }),
  string: (name: string, text: string): object => ({ name, s: Buffer.from(text), type: 3 }),
  strings: (name: string, texts: string[]): object => ({
    name,
    strings: texts.map((t) => Buffer.from(t)),
    type: 8,
  }),
};

function valueInfo({ name, datatype, shape }: OnnxTensor): object {
  const dim = shape.map((size) => (size === -1 ? { dim_param: 'batch' } : { dim_value: size }));
  return { name, type: { tensor_type: { elem_type: datatype === 'FP64' ? DOUBLE : FLOAT, shape: { dim } } } };
}
