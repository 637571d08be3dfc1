import { z } from 'zod';
import { measured } from './measured.js';
import { tableEncoding } from './table-encoding.js';

/**
 * What an action changes. The ONNX model takes FP32 `[-1, features]` and gives FP32 `[-1, 1 + actions]`: the probability of the
 * outcome without any action, then with each one in the order of `actions`.
 */
export const upliftSpec = z.object({
  task: z.literal('uplift'),
  goal: z.string().describe('what the outcome is for, e.g. `retain`'),
  table: tableEncoding,
  family: z.string().describe('the learner, e.g. `t-learner` or `interaction-logistic`'),
  outcome: z.object({
    event: z.string(),
    horizonDays: z.number().positive(),
    value: z.number().nonnegative().describe('mean value of one outcome, major units'),
    currency: z.string(),
  }),
  actions: z
    .array(
      z.object({
        id: z.string(),
        channel: z.string().nullable(),
        cost: z.number().nonnegative().describe('of doing it once, major units'),
        average: measured.describe('mean effect over everybody, from the experiment'),
        qini: measured.describe('cross-fitted Qini coefficient a customer, beside random targeting = 0'),
        reliability: z
          .array(z.object({ upTo: z.number(), low: z.number(), value: z.number(), high: z.number() }))
          .describe('by predicted effect, ascending: observed effect of the cross-fitted bin, 90 % interval'),
      }),
    )
    .min(1)
    .describe('only those whose model beats random targeting'),
  refused: z
    .array(z.object({ action: z.string(), because: z.string() }))
    .describe('actions of the experiments that no model ranks better than chance'),
});
export type UpliftSpec = z.output<typeof upliftSpec>;
