import { z } from 'zod';

export const uploadFields = 'id partBytes parts received';
export const upload = z.object({
  id: z.string(),
  partBytes: z.number(),
  parts: z.number(),
  received: z.array(z.number()),
});
export type UploadAnswer = z.output<typeof upload>;

export const importFields = `id state checks { name passed required observed code } version { id } failure { code message }`;
export const modelImport = z.object({
  id: z.string(),
  state: z.enum(['RUNNING', 'SUCCEEDED', 'REFUSED', 'FAILED']),
  checks: z.array(
    z.object({
      name: z.string(),
      passed: z.boolean(),
      required: z.string(),
      observed: z.string(),
      code: z.string().nullable(),
    }),
  ),
  version: z.object({ id: z.string() }).nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type ImportAnswer = z.output<typeof modelImport>;
