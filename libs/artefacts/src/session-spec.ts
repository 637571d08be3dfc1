import { z } from 'zod';

/**
 * What a visitor looks at next. The ONNX model takes FP32 `[-1, 2 × items]` (weights of the viewed items as sources, then what each
 * item scores for having been viewed) and gives FP32 `[-1, items]`.
 */
export const sessionSpec = z.object({
  task: z.literal('session'),
  items: z.array(z.string()).min(1).describe('item ids in the order of the columns'),
  sourceDecay: z
    .number()
    .positive()
    .describe('the k-th last distinct item is a source of weight sourceDecay^k, scaled to sum 1'),
  repeats: z.array(z.number().nonnegative()).min(1).describe('score of the k-th last distinct item itself'),
  transitionsFile: z.string().describe('float32 little-endian [items, items]: row i = weights from item i'),
});
export type SessionSpec = z.output<typeof sessionSpec>;
