import type { Calibration } from '@sextant/learning/calibration';
import { castTo, constant, DOUBLE, FLOAT, node, type OnnxTensor } from './onnx-model.js';

/**
 * What a margin becomes: a calibrated probability, sigmoid(a · margin + b + bend(margin)), or log units as they are.
 *
 * Source of the calibration: Platt (1999), "Probabilistic outputs for support vector machines", in Advances in large margin classifiers;
 * the bend is an isotonic curve (`fitIsotonic` of libs/learning).
 */
export type OutputHead = { kind: 'probability'; platt: Calibration } | { kind: 'log-units' };

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
  const bend = bendNodes(widened, head.platt.bend);
  const nodes = [
    ...widen,
    node('Mul', `${widened} platt_a -> scaled`),
    node('Add', `scaled platt_b -> ${bend.line}`),
    ...bend.nodes,
    node('Sigmoid', 'calibrated -> wide_probability'),
    castTo(FLOAT, 'wide_probability -> probability'),
  ];
  const initializers = [
    constant('platt_a', [1], Float64Array.of(head.platt.a)),
    constant('platt_b', [1], Float64Array.of(head.platt.b)),
    ...bend.initializers,
  ];
  return { nodes, initializers, output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] } };
}

/**
 * From `line` to `calibrated`: first correction + Σ slopeᵢ · clip(margin − knotᵢ, 0, widthᵢ), which is the straight line between two knots
 * and a constant before the first and after the last.
 */
function bendNodes(
  margin: string,
  bend: Calibration['bend'],
): { line: string; nodes: object[]; initializers: object[] } {
  if (bend === undefined) return { line: 'calibrated', nodes: [], initializers: [] };
  const { margins, corrections } = bend;
  const first = Float64Array.of(corrections[0] ?? 0);
  if (margins.length < 2) {
    return {
      line: 'line',
      nodes: [node('Add', 'line bend_first -> calibrated')],
      initializers: [constant('bend_first', [1], first)],
    };
  }
  const knots = Float64Array.from(margins.slice(0, -1));
  const widths = knots.map((knot, i) => (margins[i + 1] ?? 0) - knot);
  const slopes = widths.map((width, i) => ((corrections[i + 1] ?? 0) - (corrections[i] ?? 0)) / width);
  return {
    line: 'line',
    nodes: [
      node('Add', 'line bend_first -> raised'),
      node('Sub', `${margin} bend_knots -> beyond`),
      node('Max', 'beyond bend_zero -> within'),
      node('Min', 'within bend_widths -> clipped'),
      node('MatMul', 'clipped bend_slopes -> bent'),
      node('Add', 'raised bent -> calibrated'),
    ],
    initializers: [
      constant('bend_first', [1], first),
      constant('bend_knots', [1, knots.length], knots),
      constant('bend_zero', [1], new Float64Array(1)),
      constant('bend_widths', [1, knots.length], widths),
      constant('bend_slopes', [knots.length, 1], slopes),
    ],
  };
}
