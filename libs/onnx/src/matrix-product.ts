import { DOUBLE, encodeGraph, node } from './onnx-model.js';

/** A graph that multiplies: inputs `left` FP64 [m, k] and `right` FP64 [k, n], output `product` FP64 [m, n]; all sizes are free. */
export function writeMatrixProduct(): Uint8Array {
  return encodeGraph({
    name: 'matrix-product',
    node: [node('MatMul', 'left right -> product')],
    input: [free('left', 'm', 'k'), free('right', 'k', 'n')],
    output: [free('product', 'm', 'n')],
  });
}

function free(name: string, rows: string, columns: string): object {
  const shape = { dim: [{ dim_param: rows }, { dim_param: columns }] };
  return { name, type: { tensor_type: { elem_type: DOUBLE, shape } } };
}
