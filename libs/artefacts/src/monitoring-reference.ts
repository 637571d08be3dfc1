import { z } from 'zod';
import { measured } from './measured.js';

const count = z.number().int().nonnegative();

/** How the cells of a column are counted. */
const binning = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('numeric'),
    edges: z
      .array(z.number())
      .max(31)
      .describe(
        'ascending; bin i holds edge i-1 < x <= edge i, the first what is below, the last what is above',
      ),
  }),
  z.object({
    kind: z.literal('categorical'),
    categories: z.array(z.string()).max(100).describe('a bin each; every other category shares one more'),
  }),
]);

const column = z.object({
  name: z.string(),
  binning,
  bins: z.array(count).min(1).describe('rows of the reference by bin'),
  missing: count,
  usual: z
    .object({
      psi: z.number().nonnegative(),
      missing: z.number().min(0).max(1),
    })
    .default({ psi: 0, missing: 0 })
    .describe(
      'how far weekdays are from all of the reference, and later stretches of time from its earlier half, beyond chance: the largest stability index and the largest difference of the missing rate',
    ),
});

/** `monitor.json`: what a version knew of the world when it was trained, to compare with what it is asked later. */
export const monitoringReference = z.object({
  formatVersion: z.literal(1),
  rows: count.describe('rows of the reference'),
  features: z
    .array(
      column.extend({
        importance: z
          .number()
          .min(0)
          .max(1)
          .describe('share of what moves the answer; they add up to at most 1'),
        changes: z
          .array(z.object({ withinDays: z.number().positive(), pairs: count, changed: count }))
          .default([])
          .describe('of two successive rows of one subject so far apart at most, ascending: how many differ'),
      }),
    )
    .max(20_000),
  scores: z
    .array(
      column.extend({
        positives: z
          .array(count)
          .nullable()
          .describe('rows with the outcome by bin; null where the answer is no probability of an outcome'),
      }),
    )
    .describe('of rows that the fit had not seen'),
  threshold: z.number().nullable().describe('score from which a row counts as selected; null where none is'),
  performance: z
    .object({ measure: z.enum(['auc']), value: measured, rows: count, positives: count })
    .nullable()
    .describe('on rows that the fit had not seen'),
});
export type MonitoringReference = z.output<typeof monitoringReference>;
export type ReferenceFeature = MonitoringReference['features'][number];
export type ReferenceScore = MonitoringReference['scores'][number];

/** The file's name; a manifest names it as `monitorFile`. */
export const MONITOR_FILE = 'monitor.json';
