import { z } from 'zod';
import { measured } from './measured.js';

/**
 * What a customer will still buy. The ONNX model takes FP64 `[-1, 5]`: repeat purchase days, periods from the first purchase to
 * the last, periods from the first purchase to now, mean spend of a repeat purchase day (NaN without one), periods ahead; and
 * gives FP64 `[-1, 3]`: probability of being alive, expected purchase days, expected discounted value (NaN without a spend model).
 */
export const lifetimeSpec = z.object({
  task: z.literal('lifetime'),
  family: z.enum(['bg-nbd', 'pareto-nbd']),
  parameters: z.record(z.string(), measured).describe('e.g. r, alpha, a, b, with intervals from the Hessian'),
  spend: z
    .record(z.string(), measured)
    .nullable()
    .describe('gamma-gamma p, q, v; null where orders have no value'),
  currency: z.string().nullable().describe('ISO 4217; null without a spend model'),
  periodDays: z.number().positive().describe('days of one period'),
  maxHorizonDays: z.number().positive().describe('a longer horizon is refused'),
  annualDiscountRate: z.number().nonnegative(),
  reliability: z
    .array(z.object({ upTo: z.number(), rows: z.number().int(), low: z.number(), high: z.number() }))
    .describe(
      'by predicted value of the hold-out period, ascending: 5 % and 95 % quantiles of actual minus predicted, as a share of the prediction plus one mean order',
    ),
});
export type LifetimeSpec = z.output<typeof lifetimeSpec>;
