import { z } from 'zod';
import { tableEncoding } from './table-encoding.js';

/** A calibrated probability of one row: that a lead is won, that a customer leaves, that a customer buys. */
export const scoreSpec = z.object({
  task: z.enum(['lead', 'churn', 'purchase']),
  table: tableEncoding,
  family: z.enum(['logistic', 'lightgbm', 'imported']).describe('imported: fitted elsewhere'),
  explainFile: z
    .string()
    .nullable()
    .describe(
      'JSON: weights of the linear model or the trees, for exact attributions; null = answers without them',
    ),
  bands: z
    .object({ warm: z.number(), hot: z.number() })
    .describe('lowest calibrated probability of the middle and of the highest band'),
  quantiles: z.array(z.number()).length(101).describe('score percentiles on the validation split'),
  reliability: z
    .array(z.object({ upTo: z.number(), rows: z.number().int(), positives: z.number().int() }))
    .describe(
      'validation counts by calibrated score, ascending; the interval of a score is Wilson of its bin',
    ),
  horizonDays: z.number().positive(),
});
export type ScoreSpec = z.output<typeof scoreSpec>;
export type ScoreTask = ScoreSpec['task'];
