import { z } from 'zod';

/** How one column of a raw table becomes columns of the model's input; written by `fitTableEncoder`, read by `encodeTable`. */
export const columnEncoding = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('numeric'),
    column: z.string(),
    fill: z.number().nullable().describe('value for a missing cell; null keeps NaN, which trees route'),
    transform: z.enum(['none', 'signed-log1p']),
    mean: z.number(),
    scale: z.number().positive(),
    range: z
      .tuple([z.number(), z.number()])
      .optional()
      .describe(
        'lowest and highest cell of training; others are drawn to it, so that a line does not extrapolate',
      ),
    missingIndicator: z.boolean(),
  }),
  z.object({
    kind: z.literal('categorical'),
    column: z.string(),
    categories: z
      .array(z.string())
      .describe('one input column each; anything else goes to the "other" column'),
  }),
  z.object({
    kind: z.literal('date'),
    column: z.string(),
    format: z.enum(['iso', 'day-first', 'month-first']).describe('how the texts are written; read as UTC'),
    parts: z
      .array(
        z.object({
          part: z.enum([
            'day',
            'month',
            'weekday',
            'hour',
            'year-sine',
            'year-cosine',
            'week-sine',
            'week-cosine',
          ]),
          mean: z.number(),
          scale: z.number().positive(),
          range: z.tuple([z.number(), z.number()]).optional().describe('as of a numeric column'),
        }),
      )
      .min(1)
      .describe('one input column each, (part - mean) / scale'),
    fill: z.boolean().describe('a missing date becomes the mean of each part; false keeps NaN'),
    missingIndicator: z.boolean(),
  }),
  z.object({
    kind: z.literal('lookup'),
    column: z.string().describe('a categorical column, e.g. the product'),
    feature: z.string().describe('name of the one model input column'),
    values: z.record(z.string(), z.number()).describe('by category'),
    other: z.number().describe('value of any other category'),
    times: z
      .object({
        column: z.string(),
        transform: z.enum(['none', 'signed-log1p', 'log']),
        centres: z.record(z.string(), z.number()).describe('by category, in transformed units'),
        otherCentre: z.number(),
        fill: z.number().nullable().describe('value for a missing cell; null keeps NaN'),
      })
      .nullable()
      .describe('the value is multiplied by transform(cell) - centre; null: the value alone'),
  }),
]);
export type ColumnEncoding = z.output<typeof columnEncoding>;

export const tableEncoding = z.object({
  columns: z.array(columnEncoding),
  features: z.array(z.string()).describe('names of the model input columns, in order'),
  standardised: z.boolean(),
});
export type TableEncoding = z.output<typeof tableEncoding>;
