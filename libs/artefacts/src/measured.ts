import { z } from 'zod';

/** A value with its bootstrap interval; `level` is the two-sided confidence, e.g. 0.9. */
export const measured = z.object({ value: z.number(), low: z.number(), high: z.number(), level: z.number() });
export type Measured = z.output<typeof measured>;
