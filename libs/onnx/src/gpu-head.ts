import type { Calibration } from '@sextant/learning/calibration';
import { attribute, constant, node, type OnnxTensor } from './onnx-model.js';
import type { OutputHead } from './output-head.js';

/**
 * What {@link writeHead} writes, in float32 throughout and without matrix products: operators that every GPU provider has, in
 * arithmetic that none of them shortens to 11 bits.
 */
export function writeGpuHead(head: OutputHead): {
  nodes: object[];
  initializers: object[];
  output: OnnxTensor;
} {
  if (head.kind === 'log-units') {
    return {
      nodes: [node('Identity', 'margin -> log_units')],
      initializers: [],
      output: { name: 'log_units', datatype: 'FP32', shape: [-1, 1] },
    };
  }
  const { a, b, bend } = head.platt;
  const bent = bend === undefined ? { nodes: [], initializers: [] } : bendNodes(bend);
  return {
    nodes: [
      node('Mul', 'margin platt_a -> scaled'),
      node('Add', `scaled platt_b -> ${bend === undefined ? 'calibrated' : 'line'}`),
      ...bent.nodes,
      node('Sigmoid', 'calibrated -> probability'),
    ],
    initializers: [
      constant('platt_a', [1], Float32Array.of(a)),
      constant('platt_b', [1], Float32Array.of(b)),
      ...bent.initializers,
    ],
    output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
  };
}

/** From `line` to `calibrated`, the correction along the margin as {@link writeHead} has it. */
function bendNodes({ margins, corrections }: NonNullable<Calibration['bend']>): {
  nodes: object[];
  initializers: object[];
} {
  const first = constant('bend_first', [1], Float32Array.of(corrections[0] ?? 0));
  if (margins.length < 2) {
    return { nodes: [node('Add', 'line bend_first -> calibrated')], initializers: [first] };
  }
  const starts = margins.slice(0, -1);
  const widths = starts.map((knot, i) => (margins[i + 1] ?? 0) - knot);
  const slopes = widths.map((width, i) => ((corrections[i + 1] ?? 0) - (corrections[i] ?? 0)) / width);
  const row = (name: string, values: readonly number[]): object =>
    constant(name, [1, values.length], Float32Array.from(values));
  return {
    nodes: [
      node('Add', 'line bend_first -> raised'),
      node('Sub', 'margin bend_knots -> beyond'),
      node('Max', 'beyond bend_zero -> within'),
      node('Min', 'within bend_widths -> clipped'),
      node('Mul', 'clipped bend_slopes -> steps'),
      node('ReduceSum', 'steps bend_axis -> bent', [attribute.int('keepdims', 1)]),
      node('Add', 'raised bent -> calibrated'),
    ],
    initializers: [
      first,
      row('bend_knots', starts),
      constant('bend_zero', [1], new Float32Array(1)),
      row('bend_widths', widths),
      row('bend_slopes', slopes),
      constant('bend_axis', [1], BigInt64Array.of(1n)),
    ],
  };
}

/** Slope of a bend beyond which float32 margins miss it by more than 2e-6 of a probability. */
const STEEPEST_BEND = 16;

/** Whether float32 is enough for a head: a bend that is almost a step turns the last bit of a margin into another probability. */
export function isGentle(head: OutputHead): boolean {
  if (head.kind === 'log-units' || head.platt.bend === undefined) return true;
  const { margins, corrections } = head.platt.bend;
  return margins.every((margin, i) => {
    const next = margins[i + 1];
    if (next === undefined) return true;
    const rise = Math.abs((corrections[i + 1] ?? 0) - (corrections[i] ?? 0));
    return rise <= STEEPEST_BEND * (next - margin);
  });
}
