import { z } from 'zod';

/** What each kind of decision is computed from, as the services write it to the log. Rows of earlier releases may lack some of it. */
const cell = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const cells = z.record(z.string(), cell);
const ids = z.array(z.string());
const popularItems = z.array(z.object({ productId: z.string(), customers: z.number() }));

export const scoreInput = cells;

export const priceInput = z.object({
  productId: z.string(),
  quantity: z.number(),
  region: z.string().nullable(),
  listPriceMinor: z.number(),
  costMinor: z.number().nullable(),
  currency: z.string(),
  stock: z.number().nullable(),
  floorMinor: z.number(),
  ceilingMinor: z.number(),
  context: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
});

export const valueInput = z.object({
  repeats: z.number(),
  recencyDays: z.number(),
  ageDays: z.number(),
  meanRepeatValue: z.number().nullable(),
  meanValue: z.number(),
  currency: z.string().nullable(),
  horizonDays: z.number(),
});

export const actionInput = z.object({
  features: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
  contact: z.object({ takesMails: z.boolean().nullable(), daysSinceContact: z.number().nullable() }),
});

export const slateInput = z.object({
  history: ids,
  disliked: ids,
  exclude: ids,
  inView: ids,
  first: z.number(),
  sums: z.number().optional(),
  popularity: z.object({ most: z.number(), related: popularItems, others: popularItems }).optional(),
});
export type SlateInput = z.output<typeof slateInput>;
