import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const subgraphUrl = (fallback: number) =>
  z
    .url({ protocol: /^https?$/ })
    .default(`http://127.0.0.1:${fallback}/graphql`)
    .describe('where this subgraph answers');

/** What the gateway understands; SUPERGRAPH_PATH has its default in main.ts, which knows where it lies. */
export const gatewayConfig = z.object({
  PORT: port(4_000).describe('HTTP port of /graphql'),
  METRICS_PORT: port(9_460).describe('HTTP port of /metrics and /health'),
  HOST: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 in a container'),
  SUPERGRAPH_PATH: z.string().describe('file of the composed supergraph'),
  CUSTOMER_URL: subgraphUrl(4_101),
  CAMPAIGN_URL: subgraphUrl(4_102),
  PREDICTION_URL: subgraphUrl(4_103),
  SEXTANT_SIGNING_SECRET: z
    .string()
    .min(32, 'needs at least 32 characters')
    .describe('shared with the subgraphs; signs what is sent to them'),
  SEXTANT_JWKS: z
    .string()
    .min(1)
    .describe('file path or http(s) URL of the keys that tokens are signed with'),
  SEXTANT_ISSUER: z.string().min(1).default('sextant-local').describe('`iss` that tokens must carry'),
  SEXTANT_AUDIENCE: z.string().min(1).default('sextant').describe('`aud` that tokens must carry'),
  SEXTANT_CORS_ORIGINS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .describe('web origins that may call from a browser, separated by commas; none by default'),
  SEXTANT_GRAPHIQL: z.enum(['0', '1']).default('0').describe('1 serves GraphiQL on GET /graphql'),
  SEXTANT_UPSTREAM_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe('longest a subgraph may take for one fetch'),
  SEXTANT_DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(10_000)
    .describe('how long a stopping gateway waits for requests in progress'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least severe log line written'),
});
export type GatewayConfig = z.output<typeof gatewayConfig>;
