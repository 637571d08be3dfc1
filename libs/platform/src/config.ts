import { DomainError } from '@sextant/domain';
import { z } from 'zod';

/**
 * Reads configuration once, at the start of a process.
 *
 * @param schema  one zod object; each field has a description and, where sensible, a default
 * @param env     usually process.env; only main.ts touches it
 * @throws DomainError CONFIG_INVALID listing every bad variable at once
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new DomainError('CONFIG_INVALID', `bad configuration, nothing was started:\n${lines.join('\n')}`);
}

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);

/** Variables that every subgraph understands. */
export function subgraphConfig(ports: { http: number; metrics: number }) {
  return z.object({
    PORT: port(ports.http).describe('HTTP port of /graphql'),
    METRICS_PORT: port(ports.metrics).describe('HTTP port of /metrics and /health'),
    HOST: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 in a container'),
    MONGODB_URI: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'must be a mongodb:// URI')
      .describe('store; a replica set'),
    MONGODB_TIMEOUT_MS: z.coerce
      .number()
      .int()
      .min(100)
      .default(5_000)
      .describe('longest a store operation may take, retries included'),
    SEXTANT_SIGNING_SECRET: z
      .string()
      .regex(/^[^,]{32,}(,[^,]{32,})*$/, 'needs at least 32 characters without a comma')
      .describe(
        'shared by gateway and subgraphs; signs what is sent between them; `new,old` while it is rotated',
      ),
    SEXTANT_SIGNATURE_MAX_AGE_MS: z.coerce
      .number()
      .int()
      .min(1_000)
      .default(30_000)
      .describe('oldest signature that is accepted'),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('least severe log line written'),
  });
}
export type SubgraphConfig = z.output<ReturnType<typeof subgraphConfig>>;
