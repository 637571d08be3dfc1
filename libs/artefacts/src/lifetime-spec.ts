import { z } from 'zod';
import { measured } from './measured.js';

/**
 * What a customer will still buy. The ONNX model takes FP64 `[-1, 5]`: purchase days after the first, periods from the first
 * purchase to the last, periods from the first purchase to now, mean value of a purchase day of the spend basis (NaN without one),
 * periods ahead; and gives FP64 `[-1, 3]`: probability of being alive, expected purchase days, expected discounted value.
 */
export const lifetimeSpec = z.object({
  task: z.literal('lifetime'),
  family: z.enum(['bg-nbd', 'pareto-nbd']),
  parameters: z
    .record(z.string(), measured)
    .describe('r, alpha, a, b or r, alpha, s, beta, with intervals from the Hessian; times in periods'),
  spend: z.record(z.string(), measured).describe('gamma-gamma p, q, v'),
  spendBasis: z
    .enum(['repeats', 'all'])
    .describe('whether the mean value of a customer leaves out the first purchase day or not'),
  meanOrderValue: z.number().positive().describe('of anybody, p v / (q − 1): the scale of the interval'),
  currency: z.string().describe('ISO 4217'),
  periodDays: z.number().positive().describe('days of one period'),
  maxHorizonDays: z.number().positive().describe('a longer horizon is refused'),
  maxFrequency: z.number().int().positive().describe('more purchases count as this many'),
  annualDiscountRate: z.number().nonnegative(),
  reliability: z
    .array(z.object({ upTo: z.number(), rows: z.number().int(), low: z.number(), high: z.number() }))
    .min(1)
    .describe(
      'by predicted value of the validation days, ascending: 5 % and 95 % quantiles of actual minus predicted, as a share of the prediction plus one mean order',
    ),
});
export type LifetimeSpec = z.output<typeof lifetimeSpec>;
