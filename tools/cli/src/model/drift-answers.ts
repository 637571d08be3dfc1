import { z } from 'zod';

export const driftFields = `asOf from to rowsSeen workers verdict notes retrainJob version { id }
  performance { value low high }
  findings { kind name sentence statistic threshold }
  features { feature test statistic threshold drifted importance }`;

export const driftReport = z.object({
  asOf: z.string(),
  from: z.string(),
  to: z.string(),
  rowsSeen: z.number(),
  workers: z.number(),
  verdict: z.string(),
  notes: z.array(z.string()),
  retrainJob: z.string().nullable(),
  version: z.object({ id: z.string() }).nullable(),
  performance: z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
  findings: z.array(
    z.object({
      kind: z.string(),
      name: z.string(),
      sentence: z.string(),
      statistic: z.number(),
      threshold: z.number(),
    }),
  ),
  features: z.array(
    z.object({
      feature: z.string(),
      test: z.string(),
      statistic: z.number(),
      threshold: z.number(),
      drifted: z.boolean(),
      importance: z.number(),
    }),
  ),
});
export type DriftAnswer = z.output<typeof driftReport>;
