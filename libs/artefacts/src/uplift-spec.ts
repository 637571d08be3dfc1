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
  outcome: z.object({
    event: z.string(),
    horizonDays: z.number().positive(),
    value: z.number().nonnegative().describe('mean value of the outcome where there is one, major units'),
    currency: z.string().nullable().describe('ISO 4217; null where outcomes have no value'),
    sureFrom: z
      .number()
      .min(0)
      .max(1)
      .describe('probability without an action from which a customer counts as one who acts anyway'),
  }),
  actions: z
    .array(
      z.object({
        id: z.string(),
        channel: z.string().nullable(),
        cost: z.number().nonnegative().describe('of doing it once, major units'),
        learner: z.string().describe('e.g. `interaction-logistic`'),
        average: measured.describe('mean effect over everybody, from the experiment'),
        qini: measured.describe('cross-fitted Qini coefficient a customer, beside random targeting = 0'),
        reliability: z
          .array(z.object({ upTo: z.number(), low: z.number(), value: z.number(), high: z.number() }))
          .describe(
            'by predicted effect, ascending: observed effect of the cross-fitted bin, 90 % interval; the last bin has no end',
          ),
      }),
    )
    .describe('only those whose model beats random targeting; may be none'),
  refused: z
    .array(z.object({ action: z.string(), channel: z.string().nullable(), because: z.string() }))
    .describe('actions of the experiments that no model ranks better than chance'),
});
export type UpliftSpec = z.output<typeof upliftSpec>;
