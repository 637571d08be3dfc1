import { DomainError } from '@sextant/domain';
import { z } from 'zod';

export const MAX_COLUMNS = 2_000;
export const MIN_SAMPLE_ROWS = 10;
export const MAX_SAMPLE_ROWS = 5_000;
const MAX_CODES = 10_000;

const text = (most: number) => z.string().trim().min(1).max(most);
const sha256 = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

/** How one column of the model's input is made of a feature of ours. */
export const importColumn = z.object({
  feature: text(256).describe('as libs/features names it, e.g. order.value.total or trait.plan'),
  name: text(256).nullish().describe('of the column where the model was made; the feature when absent'),
  fill: z.number().nullish().describe('for a missing number; null: NaN, which trees route'),
  codes: z
    .record(z.string().max(256), z.number())
    .nullish()
    .describe(
      'for texts: the number that stands for each; one column for each category, {"gold": 1}, where they are one-hot',
    ),
  otherwise: z.number().nullish().describe('for any other text and a missing one; 0 when absent'),
});
export type ImportColumn = z.output<typeof importColumn>;

/** Features of one customer by name, or the model's input columns in their order. */
const sampleRow = z.object({
  row: z.union([
    z.record(z.string().max(256), z.union([z.number(), z.string().max(1_000), z.boolean(), z.null()])),
    z.array(z.number().nullable()).max(MAX_COLUMNS),
  ]),
  expected: z.number().min(0).max(1).describe('probability of the positive class that the tool itself gives'),
  label: z
    .union([z.literal(0), z.literal(1)])
    .nullish()
    .describe('what came of it, where that is known'),
});
export type SampleRow = z.output<typeof sampleRow>;

/** A model made elsewhere, as somebody asks for it to be taken. */
export const importOrder = z.object({
  tenantId: z.string(),
  task: z.enum(['lead', 'churn', 'purchase']),
  source: z.union([z.object({ url: text(2_048) }), z.object({ uploadId: text(64) })]),
  sha256,
  columns: z.array(importColumn).min(1).max(MAX_COLUMNS),
  output: z.object({
    name: text(256).nullish(),
    meaning: z.enum(['PROBABILITY', 'LOG_ODDS']).default('PROBABILITY'),
    positiveClass: text(256).nullish(),
    calibration: z.object({ a: z.number(), b: z.number() }).nullish(),
  }),
  horizonDays: z.number().int().min(1).max(730),
  sample: z.array(sampleRow).min(MIN_SAMPLE_ROWS).max(MAX_SAMPLE_ROWS),
  tolerance: z.number().min(1e-7).max(1e-2).default(1e-5),
  card: z.object({
    purpose: z.string().trim().max(2_000).default(''),
    trainingData: z.string().trim().max(4_000).default(''),
    chosenBecause: z.string().trim().max(2_000).default(''),
    limitations: z.array(text(1_000)).max(20).default([]),
  }),
});
export type ImportOrder = z.output<typeof importOrder>;

/** @throws DomainError INVALID_INPUT naming the first field that is wrong */
export function parseImportOrder(order: unknown): ImportOrder {
  const parsed = importOrder.safeParse(order);
  if (parsed.success) {
    checkCodes(parsed.data.columns);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  const path = `input.${issue?.path.join('.') ?? ''}`;
  throw new DomainError('INVALID_INPUT', `${path}: ${issue?.message}`, { path });
}

function checkCodes(columns: readonly ImportColumn[]): void {
  for (const [i, { codes, fill }] of columns.entries()) {
    const path = `input.columns.${i}`;
    if (codes && fill != null)
      throw new DomainError('INVALID_INPUT', `${path}: fill is for numbers and codes are for texts`, {
        path,
      });
    if (codes && Object.keys(codes).length > MAX_CODES)
      throw new DomainError('INVALID_INPUT', `${path}.codes may name ${MAX_CODES} texts`, { path });
  }
}
