import { type BgNbdParameters, gaussBeta } from '@sextant/learning/lifetime';
import { type LifetimeLimits, type Part, scalar } from './lifetime-part.js';
import { attribute, constant, node } from './onnx-model.js';

const INT64 = 7;
/** Digits that the quadrature of the BG/NBD keeps at the longest horizon, as e^-x. */
const QUADRATURE_EXPONENT = 25;

/** `alive` [N, 1] and `counts` [N, months]. */
export function bgNbdPart(
  { r, alpha, a, b }: BgNbdParameters,
  { maxHorizon, maxFrequency }: LifetimeLimits,
): Part {
  const rules = dropOutRules({ a, b, nodeCount: quadratureNodes(maxHorizon / alpha), maxFrequency });
  return {
    nodes: [
      node('Add', 'age alpha -> now'),
      node('Add', 'frequency r -> shape'),
      ...bgNbdAlive(),
      node('Cast', 'frequency -> row', [attribute.int('to', INT64)]),
      node('Gather', 'drop_out_table row -> p', [attribute.int('axis', 0)]),
      node('Gather', 'weight_table row -> weight', [attribute.int('axis', 0)]),
      node('Div', 'ends now -> ratios'),
      node('Unsqueeze', 'ratios last_axis -> ratio'),
      node('Unsqueeze', 'shape last_axis -> power'),
      ...goneBeforeEnd(),
      node('Mul', 'gone weight -> weighed'),
      node('ReduceSum', 'weighed last_axis -> counts', [attribute.int('keepdims', 0)]),
    ],
    initializers: [
      scalar('alpha', alpha),
      scalar('r', r),
      scalar('a', a),
      scalar('b_less_one', b - 1),
      scalar('half', 0.5),
      scalar('sixth', 1 / 6),
      scalar('two', 2),
      scalar('small', 1e-4),
      constant('last_axis', [1], BigInt64Array.of(2n)),
      ...rules,
    ],
  };
}

/** Nodes and weights over the drop-out probability, one row a number of purchases. */
function dropOutRules({
  a,
  b,
  nodeCount,
  maxFrequency,
}: {
  a: number;
  b: number;
  nodeCount: number;
  maxFrequency: number;
}): object[] {
  const rows = maxFrequency + 1;
  const [nodes, weights] = [new Float64Array(rows * nodeCount), new Float64Array(rows * nodeCount)];
  for (let x = 0; x < rows; x++) {
    const rule = gaussBeta(nodeCount, a, b + x);
    nodes.set(rule.nodes, x * nodeCount);
    weights.set(rule.weights, x * nodeCount);
  }
  return [
    constant('drop_out_table', [rows, nodeCount], nodes),
    constant('weight_table', [rows, nodeCount], weights),
  ];
}

/** 1 without a repeat, else 1 / (1 + a / (b + x − 1) ((α + T) / (α + tx))^(r + x)). */
function bgNbdAlive(): object[] {
  return [
    node('Add', 'recency alpha -> last'),
    node('Div', 'now last -> silence'),
    node('Log', 'silence -> idle'),
    node('Mul', 'idle shape -> silent_odds'),
    node('Max', 'frequency one -> repeats'),
    node('Add', 'repeats b_less_one -> stays'),
    node('Div', 'a stays -> leaves'),
    node('Log', 'leaves -> log_leaves'),
    node('Add', 'log_leaves silent_odds -> log_odds'),
    node('Exp', 'log_odds -> odds'),
    node('Add', 'odds one -> total_odds'),
    node('Div', 'one total_odds -> alive_repeater'),
    node('Less', 'frequency half -> never_back'),
    node('Where', 'never_back one alive_repeater -> alive'),
  ];
}

/** (1 − (1 + p w)^(−s)) / p, [N, months, nodes]; by its series where the difference would cancel. */
function goneBeforeEnd(): object[] {
  return [
    node('Mul', 'p ratio -> pw'),
    node('Add', 'pw one -> grown'),
    node('Log', 'grown -> log_grown'),
    node('Mul', 'log_grown power -> decay'),
    node('Neg', 'decay -> negative_decay'),
    node('Exp', 'negative_decay -> kept'),
    node('Sub', 'one kept -> difference'),
    node('Div', 'difference p -> direct'),
    node('Add', 'power one -> power_one'),
    node('Add', 'power two -> power_two'),
    node('Mul', 'power_one pw -> first'),
    node('Mul', 'first half -> first_term'),
    node('Mul', 'first power_two -> second'),
    node('Mul', 'second pw -> second_pw'),
    node('Mul', 'second_pw sixth -> second_term'),
    node('Sub', 'one first_term -> one_term'),
    node('Add', 'one_term second_term -> two_terms'),
    node('Mul', 'power ratio -> slope'),
    node('Mul', 'slope two_terms -> series'),
    node('Less', 'decay small -> is_small'),
    node('Where', 'is_small series direct -> gone'),
  ];
}

/** Nodes for (1 + p w)^(−s), whose singularity lies 1 / w left of the interval: the error falls as ρ^(−2n) of its Bernstein ellipse. */
function quadratureNodes(maxRatio: number): number {
  const centre = 1 + 2 / maxRatio;
  const rho = centre + Math.sqrt(centre * centre - 1);
  return Math.min(128, Math.max(16, Math.ceil(QUADRATURE_EXPONENT / (2 * Math.log(rho)))));
}
