import { z } from 'zod';

/** Who may call, and what is kept of what they change. */
export const securitySettings = {
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must be a mongodb:// URI')
    .optional()
    .describe('store of access keys and of the audit log; the same as of the subgraphs'),
  MONGODB_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(5_000)
    .describe('longest a store operation may take, retries included'),
  SEXTANT_AUDIT: z
    .enum(['on', 'off'])
    .default('on')
    .describe('on: every mutation is written into the audit log before it runs, and does not run otherwise'),
  SEXTANT_AUDIT_SECRET: z
    .string()
    .regex(/^[^,]{32,}(,[^,]{32,})*$/, 'needs at least 32 characters without a comma')
    .optional()
    .describe('links the audit log; known to gateways and auditors only; `new,old` after it was rotated'),
  SEXTANT_KEY_GRACE_MS: z.coerce
    .number()
    .int()
    .min(5_000)
    .default(300_000)
    .describe('how long access keys that were read before work on while the store does not answer'),
};

export type SecurityConfig = z.output<z.ZodObject<typeof securitySettings>> & {
  SEXTANT_JWKS: string;
  SEXTANT_ISSUER: string;
  SEXTANT_AUDIENCE: string;
  SEXTANT_OPEN_ACCESS?: string | undefined;
};
