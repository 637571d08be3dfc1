import { castTo, constant, DOUBLE, FLOAT, node, type OnnxTensor } from './onnx-model.js';

/**
 * What a margin becomes: a calibrated probability, sigmoid(a · margin + b), or log units as they are.
 *
 * Source of the calibration: Platt (1999), "Probabilistic outputs for support vector machines", in Advances in large margin classifiers.
 */
export type OutputHead = { kind: 'probability'; platt: { a: number; b: number } } | { kind: 'log-units' };

/** Nodes from the tensor `margin` (of the given element type) to the output named by the head. */
export function writeHead(
  head: OutputHead,
  marginType: typeof FLOAT | typeof DOUBLE,
): { nodes: object[]; initializers: object[]; output: OnnxTensor } {
  const widened = marginType === DOUBLE ? 'margin' : 'wide_margin';
  const widen = marginType === DOUBLE ? [] : [castTo(DOUBLE, 'margin -> wide_margin')];
  if (head.kind === 'log-units') {
    const nodes =
      marginType === DOUBLE
        ? [castTo(FLOAT, 'margin -> log_units')]
        : [node('Identity', 'margin -> log_units')];
    return { nodes, initializers: [], output: { name: 'log_units', datatype: 'FP32', shape: [-1, 1] } };
  }
  const nodes = [
    ...widen,
    node('Mul', `${widened} platt_a -> scaled`),
    node('Add', 'scaled platt_b -> calibrated'),
    node('Sigmoid', 'calibrated -> wide_probability'),
    castTo(FLOAT, 'wide_probability -> probability'),
  ];
  const initializers = [
    constant('platt_a', [1], Float64Array.of(head.platt.a)),
    constant('platt_b', [1], Float64Array.of(head.platt.b)),
  ];
  return { nodes, initializers, output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] } };
}
