import {
  ALIVE_NODES,
  gaussLegendre,
  NEGLIGIBLE_EXPONENT,
  type ParetoNbdParameters,
} from '@sextant/learning/lifetime';
import { type Part, scalar } from './lifetime-part.js';
import { constant, node } from './onnx-model.js';

/** Below this s − 1 the closed form of the Pareto/NBD is written as its series. */
const NEAR_ONE = 0.01;
const SERIES_TERMS = 7;

/** `alive` [N, 1] and `counts` [N, months]. */
export function paretoNbdPart({ r, alpha, s, beta }: ParetoNbdParameters): Part {
  const { nodes, weights } = gaussLegendre(ALIVE_NODES);
  const grown = paretoCounts(s - 1);
  return {
    nodes: [
      node('Add', 'age alpha -> now'),
      node('Add', 'age beta -> now_beta'),
      node('Add', 'recency alpha -> last'),
      node('Add', 'recency beta -> last_beta'),
      node('Add', 'frequency r -> shape'),
      ...leftIntegral(alpha < beta),
      node('Div', 'ends now_beta -> ratios'),
      node('Add', 'ratios one -> grown'),
      node('Log', 'grown -> log_grown'),
      ...grown.nodes,
      node('Mul', 'shape now_beta -> shape_beta'),
      node('Div', 'shape_beta now -> rate'),
      node('Mul', 'rate lived -> counts'),
    ],
    initializers: [
      scalar('alpha', alpha),
      scalar('beta', beta),
      scalar('r', r),
      scalar('s', s),
      scalar('negligible', NEGLIGIBLE_EXPONENT),
      constant('nodes', [1, ALIVE_NODES], nodes),
      constant('weights', [ALIVE_NODES, 1], weights),
      ...grown.initializers,
    ],
  };
}

/**
 * Odds of having left, s ∫ ((α+T)/(α+u))^(r+x) ((β+T)/(β+u))^s du/(β+u) from the last purchase to now, in ln((γ+u)/(γ+tx)) with γ
 * the smaller of α and β, as it is fitted.
 */
function leftIntegral(isAlphaBase: boolean): object[] {
  const [base, other] = isAlphaBase ? ['last', 'last_beta'] : ['last_beta', 'last'];
  return [
    node('Div', 'negligible shape -> reach'),
    node('Exp', 'reach -> reach_factor'),
    node('Mul', 'last reach_factor -> reach_now'),
    node('Sub', 'reach_now alpha -> reach_time'),
    node('Min', 'age reach_time -> until'),
    node('Sub', 'until recency -> silence_until'),
    node('Div', `silence_until ${base} -> base_growth`),
    node('Add', 'base_growth one -> base_stretch'),
    node('Log', 'base_stretch -> width'),
    node('Mul', 'width nodes -> steps'),
    node('Exp', 'steps -> step_factors'),
    node('Sub', 'step_factors one -> more'),
    node('Mul', `more ${base} -> more_time`),
    node('Div', `more_time ${other} -> other_growth`),
    node('Add', 'other_growth one -> other_stretch'),
    node('Log', 'other_stretch -> other_steps'),
    ...powersOf(isAlphaBase),
    node('Mul', 'other_steps other_power -> other_fall'),
    node('Mul', 'steps base_power -> base_fall'),
    node('Add', 'other_fall base_fall -> fall'),
    node('Neg', 'fall -> negative_fall'),
    node('Exp', 'negative_fall -> density'),
    node('MatMul', 'density weights -> mean_density'),
    node('Mul', 'mean_density width -> area'),
    node('Mul', 'area factor -> scaled_area'),
    node('Log', 'scaled_area -> log_area'),
    ...logFactor(),
    node('Add', 'log_area peak -> log_odds'),
    node('Exp', 'log_odds -> odds'),
    node('Add', 'odds one -> total_odds'),
    node('Div', 'one total_odds -> alive'),
  ];
}

/** du / (β + u) is dw times (α + u) / (β + u) where α is the base, and dw where β is. */
function powersOf(isAlphaBase: boolean): object[] {
  return isAlphaBase
    ? [
        node('Sub', 'shape one -> base_power'),
        node('Add', 's one -> other_power'),
        node('Div', 'last last_beta -> base_share'),
        node('Mul', 'base_share s -> factor'),
      ]
    : [
        node('Identity', 's -> base_power'),
        node('Identity', 'shape -> other_power'),
        node('Identity', 's -> factor'),
      ];
}

/** `peak` = (r + x) ln((α+T)/(α+tx)) + s ln((β+T)/(β+tx)). */
function logFactor(): object[] {
  return [
    node('Div', 'now last -> silence'),
    node('Log', 'silence -> idle'),
    node('Mul', 'idle shape -> alpha_peak'),
    node('Div', 'now_beta last_beta -> silence_beta'),
    node('Log', 'silence_beta -> idle_beta'),
    node('Mul', 'idle_beta s -> beta_peak'),
    node('Add', 'alpha_peak beta_peak -> peak'),
  ];
}

/** `lived` = (1 − q^u) / u of `log_grown` = −ln q, for u = s − 1; by its series where u is near 0. */
function paretoCounts(u: number): Part {
  if (Math.abs(u) >= NEAR_ONE) {
    return {
      nodes: [
        node('Mul', 'log_grown negative_u -> log_power'),
        node('Exp', 'log_power -> power'),
        node('Sub', 'one power -> difference'),
        node('Div', 'difference u -> lived'),
      ],
      initializers: [scalar('u', u), scalar('negative_u', -u)],
    };
  }
  // ln(1/q) Σ y^k / (k + 1)! with y = u ln q, by Horner's rule from the last term.
  const nodes: object[] = [node('Mul', 'log_grown negative_u -> y')];
  const initializers: object[] = [scalar('negative_u', -u), scalar(`term_${SERIES_TERMS}`, 1)];
  let sum = `term_${SERIES_TERMS}`;
  for (let k = SERIES_TERMS; k >= 1; k--) {
    initializers.push(scalar(`divisor_${k}`, 1 / (k + 1)));
    nodes.push(
      node('Mul', `${sum} y -> product_${k}`),
      node('Mul', `product_${k} divisor_${k} -> quotient_${k}`),
      node('Add', `quotient_${k} one -> term_${k - 1}`),
    );
    sum = `term_${k - 1}`;
  }
  return { nodes: [...nodes, node('Mul', `log_grown ${sum} -> lived`)], initializers };
}
