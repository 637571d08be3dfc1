import type { NumberList } from './number-list.js';
import type { Span } from './proto-reader.js';

/** A model file as its messages say, with the places of what may have to be moved. Data of tensors is not copied. */
export interface OnnxFile {
  bytes: Uint8Array;
  irVersion: number;
  producer: string;
  /** version by domain; '' is ai.onnx */
  opsets: Map<string, number>;
  graph: OnnxGraph;
  functions: OnnxFunction[];
  /** the field `graph` of the model, tag included */
  graphField: Span;
}

export interface OnnxGraph {
  nodes: OnnxNode[];
  initializers: OnnxTensor[];
  sparseInitializers: number;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  /** the other fields, tags included */
  rest: Span[];
}

export interface OnnxFunction {
  name: string;
  domain: string;
  nodes: OnnxNode[];
  opsets: Map<string, number>;
}

export interface OnnxNode {
  field: Span;
  operator: string;
  /** '' is ai.onnx */
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
}

export interface OnnxAttribute {
  int: number | null;
  float: number | null;
  text: Span | null;
  ints: NumberList;
  floats: NumberList;
  texts: Span[];
  tensors: OnnxTensor[];
  graphs: OnnxGraph[];
}

export interface OnnxTensor {
  field: Span;
  name: string;
  dims: number[];
  elementType: number;
  /** where the data is: bytes as they are stored, or elements counted in their own field */
  raw: Span | null;
  /** of typed fields */
  elements: number;
  /** first values of an integer tensor, for shapes; empty for others */
  ints: number[];
  external: { location: string } | null;
}

export interface OnnxValue {
  field: Span;
  name: string;
  /** null for sequences, maps and optionals */
  tensor: { elementType: number; shape: number[] | null } | null;
}

/** TensorProto.DataType by number, with the bytes of one element; 0: not of fixed size. */
export const ELEMENT_TYPES: Readonly<Record<number, { name: string; bytes: number }>> = {
  1: { name: 'float', bytes: 4 },
  2: { name: 'uint8', bytes: 1 },
  3: { name: 'int8', bytes: 1 },
  4: { name: 'uint16', bytes: 2 },
  5: { name: 'int16', bytes: 2 },
  6: { name: 'int32', bytes: 4 },
  7: { name: 'int64', bytes: 8 },
  8: { name: 'string', bytes: 0 },
  9: { name: 'bool', bytes: 1 },
  10: { name: 'float16', bytes: 2 },
  11: { name: 'double', bytes: 8 },
  12: { name: 'uint32', bytes: 4 },
  13: { name: 'uint64', bytes: 8 },
  16: { name: 'bfloat16', bytes: 2 },
};

export function elementTypeName(type: number): string {
  return ELEMENT_TYPES[type]?.name ?? `element type ${type}`;
}
