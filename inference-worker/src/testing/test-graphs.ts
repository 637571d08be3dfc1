import { encodeGraph, node } from '@sextant/onnx';
import type { Datatype } from '@sextant/artefacts';

/** Element types of ONNX's TensorProto. */
const ELEMENT_TYPE: Record<Datatype, number> = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
};

export interface GraphValue {
  name: string;
  datatype: Datatype;
  /** -1 is a free dimension */
  shape: readonly number[];
}

/** An ONNX file of any operators, inputs and outputs. */
export function aGraph(
  nodes: readonly object[],
  inputs: readonly GraphValue[],
  outputs: readonly GraphValue[],
): Uint8Array {
  return encodeGraph({
    name: 'test',
    node: nodes,
    initializer: [],
    input: inputs.map(valueInfo),
    output: outputs.map(valueInfo),
  });
}

/** y = x, for values of one type and shape. */
export function anIdentity(datatype: Datatype, shape: readonly number[]): Uint8Array {
  const value = (name: string): GraphValue => ({ name, datatype, shape });
  return aGraph([node('Identity', 'x -> y')], [value('x')], [value('y')]);
}

function valueInfo({ name, datatype, shape }: GraphValue): object {
  const dim = shape.map((size, i) => (size === -1 ? { dim_param: `free${i}` } : { dim_value: size }));
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPE[datatype], shape: { dim } } } };
}
