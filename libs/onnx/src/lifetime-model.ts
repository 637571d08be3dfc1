import { discountedMonths, type LifetimeModel } from '@sextant/learning/lifetime';
import { bgNbdPart } from './lifetime-bg-nbd.js';
import { paretoNbdPart } from './lifetime-pareto-nbd.js';
import { type LifetimeLimits, type Part, scalar } from './lifetime-part.js';
import { attribute, constant, encodeModel, node, type OnnxModel } from './onnx-model.js';

/**
 * Lifetime forecast in float64.
 *
 * Input `customers` FP64 [-1, 5]: repeat purchases, recency, age, mean spend of its spend basis (NaN without a purchase of it), horizon; times in periods.
 * Output `forecast` FP64 [-1, 3]: probability of being alive, expected purchases, expected discounted value (NaN without a spend model).
 *
 * Special functions are quadratures with fixed nodes. Pareto/NBD: the integral over the time of leaving, as it is fitted. BG/NBD:
 * Gauss–Jacobi over the drop-out probability, nodes and weights looked up by the number of purchases.
 */
export function writeLifetimeModel(
  model: LifetimeModel,
  { maxHorizon, maxFrequency }: LifetimeLimits,
): OnnxModel {
  const { ends, discounts } = discountedMonths(model, maxHorizon);
  const limits = { maxHorizon, maxFrequency };
  const process =
    model.process.family === 'bg-nbd' ? bgNbdPart(model.process, limits) : paretoNbdPart(model.process);
  const parts = [columnsPart(limits, ends), process, sumsPart(discounts), spendPart(model)];
  return encodeModel({
    name: 'lifetime-model',
    nodes: parts.flatMap(({ nodes }) => nodes),
    initializers: parts.flatMap(({ initializers }) => initializers),
    input: { name: 'customers', datatype: 'FP64', shape: [-1, 5] },
    output: { name: 'forecast', datatype: 'FP64', shape: [-1, 3] },
  });
}

/** The columns, within the limits, and `ends` [N, months]: the months cut to the horizon. */
function columnsPart({ maxHorizon, maxFrequency }: LifetimeLimits, ends: Float64Array): Part {
  const column = (index: number, name: string): object =>
    node('Gather', `customers column_${index} -> ${name}`, [attribute.int('axis', 1)]);
  return {
    nodes: [
      column(0, 'given_frequency'),
      node('Clip', 'given_frequency zero max_frequency -> frequency'),
      column(1, 'recency'),
      column(2, 'age'),
      column(3, 'mean_spend'),
      column(4, 'given_horizon'),
      node('Clip', 'given_horizon zero max_horizon -> horizon'),
      node('Min', 'horizon month_ends -> ends'),
    ],
    initializers: [
      ...[0, 1, 2, 3, 4].map((index) => constant(`column_${index}`, [1], BigInt64Array.of(BigInt(index)))),
      scalar('zero', 0),
      scalar('one', 1),
      scalar('max_frequency', maxFrequency),
      scalar('max_horizon', maxHorizon),
      constant('month_ends', [1, ends.length], ends),
    ],
  };
}

/** `purchases` and `discounted` [N, 1] of a customer who is alive, from the counts until each month's end. */
function sumsPart(discounts: Float64Array): Part {
  const months = discounts.length;
  const last = new Float64Array(months);
  last[months - 1] = 1;
  return {
    nodes: [
      node('MatMul', 'counts last_month -> purchases'),
      node('MatMul', 'counts discount_steps -> discounted'),
    ],
    initializers: [
      constant('last_month', [months, 1], last),
      // Σ d_m (E_m − E_(m−1)) = Σ (d_m − d_(m+1)) E_m
      constant(
        'discount_steps',
        [months, 1],
        discounts.map((discount, month) => discount - (discounts[month + 1] ?? 0)),
      ),
    ],
  };
}

/** The output, with spend by the gamma-gamma model. */
function spendPart({ spend, spendBasis }: LifetimeModel): Part {
  const { p, q, v } = spend ?? { p: Number.NaN, q: Number.NaN, v: Number.NaN };
  return {
    nodes: [
      node('Add', 'frequency first_counts -> purchases_known'),
      node('Mul', 'purchases_known mean_spend -> spent'),
      node('Add', 'spent v -> known_spend'),
      node('Mul', 'known_spend spend_p -> spend_above'),
      node('Mul', 'purchases_known spend_p -> spend_count'),
      node('Add', 'spend_count q_less_one -> spend_below'),
      node('Div', 'spend_above spend_below -> own_spend'),
      // NaN is above nothing, and without a repeat 0 × a mean is not above 0.
      node('Greater', 'spent zero -> has_spent'),
      node('Where', 'has_spent own_spend mean_of_all -> order_value'),
      node('Mul', 'alive purchases -> expected'),
      node('Mul', 'alive discounted -> expected_discounted'),
      node('Mul', 'expected_discounted order_value -> value'),
      node('Concat', 'alive expected value -> forecast', [attribute.int('axis', 1)]),
    ],
    initializers: [
      scalar('first_counts', spendBasis === 'all' ? 1 : 0),
      scalar('spend_p', p),
      scalar('v', v),
      scalar('q_less_one', q - 1),
      scalar('mean_of_all', (p * v) / (q - 1)),
    ],
  };
}
