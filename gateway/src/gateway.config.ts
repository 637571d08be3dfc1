import { z } from 'zod';
import { OPEN_ACCESS } from './identity/open-access.js';
import { securitySettings } from './identity/security.config.js';
import { limitSettings } from './limits/limits.config.js';
import { streamSettings } from './streams/streams.config.js';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const subgraphUrl = (fallback: number) =>
  z
    .url({ protocol: /^https?$/ })
    .default(`http://127.0.0.1:${fallback}/graphql`)
    .describe('where this subgraph answers');

/** `name=value`, separated by commas; a value may hold further equals signs. */
const bySubgraph = (value: z.ZodType<string, string>) =>
  z
    .string()
    .default('')
    .transform((list, context) => {
      const entries = list.split(',').flatMap((entry) => (entry.trim() ? [entry.trim()] : []));
      const pairs = entries.map((entry) => [...(/^([\w-]+)=(.+)$/s.exec(entry)?.slice(1) ?? [])]);
      if (pairs.some((pair) => pair.length === 0))
        context.addIssue('needs name=value, several separated by commas');
      return new Map(pairs.map(([name = '', text = '']) => [name, text]));
    })
    .pipe(z.map(z.string(), value));

/** What the gateway understands; SUPERGRAPH_PATH has its default in main.ts, which knows where it lies. */
export const gatewayConfig = z.object({
  PORT: port(4_000).describe('HTTP port of /graphql'),
  METRICS_PORT: port(9_460).describe('HTTP port of /metrics and /health'),
  HOST: z.string().default('127.0.0.1').describe('address to listen on; 0.0.0.0 in a container'),
  SUPERGRAPH_PATH: z
    .string()
    .min(1)
    .describe('file or http(s) URL of the composed supergraph, which is followed while the gateway runs'),
  SUPERGRAPH_POLL_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(2_000)
    .describe('pause between two looks for a new supergraph; 0: none is looked for'),
  SUPERGRAPH_AUTHORIZATION: z
    .string()
    .default('')
    .describe('Authorization header for the URL of the supergraph, e.g. `Bearer …`; none by default'),
  CUSTOMER_URL: subgraphUrl(4_101),
  CAMPAIGN_URL: subgraphUrl(4_102),
  PREDICTION_URL: subgraphUrl(4_103),
  SUBGRAPH_URLS: bySubgraph(z.url({ protocol: /^https?$/ })).describe(
    'where further subgraphs answer, `name=url` separated by commas; else where the supergraph says',
  ),
  SUBGRAPH_SECRETS: bySubgraph(z.string().min(32, 'needs at least 32 characters')).describe(
    'what requests to further subgraphs are signed with, `name=secret` separated by commas',
  ),
  SEXTANT_SIGNING_SECRET: z
    .string()
    .regex(/^[^,]{32,}(,[^,]{32,})*$/, 'needs at least 32 characters without a comma')
    .describe('shared with the subgraphs; signs what is sent to them; `new,old` while it is rotated'),
  SEXTANT_JWKS: z
    .string()
    .min(1)
    .describe('file path or http(s) URL of the keys that tokens are signed with'),
  SEXTANT_ISSUER: z.string().min(1).default('sextant-local').describe('`iss` that tokens must carry'),
  SEXTANT_AUDIENCE: z.string().min(1).default('sextant').describe('`aud` that tokens must carry'),
  ...securitySettings,
  SEXTANT_OPEN_ACCESS: z
    .literal(OPEN_ACCESS)
    .optional()
    .describe(
      `"${OPEN_ACCESS}" serves everybody without a token, enforces no rule and takes any supergraph; for measuring the gateway alone`,
    ),
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
  SEXTANT_BATCH_LIMIT: z.coerce
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('most operations in one request; 0 serves no batches; partners never have them'),
  SEXTANT_REQUEST_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(30_000)
    .describe('longest a request may take; a client may ask for less by x-deadline-ms'),
  SEXTANT_SLOW_OPERATION_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(1_000)
    .describe('an operation that takes this long is logged as slow'),
  SEXTANT_GRAPHIQL: z.enum(['0', '1']).default('0').describe('1 serves GraphiQL on GET /graphql'),
  SEXTANT_GRAPHIQL_SAMPLES: z
    .string()
    .min(1)
    .optional()
    .describe('file of the tabs that GraphiQL opens with; the tokens in it are shown on this machine only'),
  SEXTANT_UPSTREAM_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(10_000)
    .describe('longest a subgraph may take for one fetch, retries included'),
  SEXTANT_UPSTREAM_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1_024)
    .default(32 * 1024 * 1024)
    .describe('longest answer of a subgraph to one fetch'),
  SEXTANT_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .describe('memory for answers of fields that the schema declares @cacheable; 0: none are kept'),
  SEXTANT_UPSTREAM_RETRY_RATIO: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('queries sent again at most, as a share of all fetches in the long run; 0: none'),
  SEXTANT_DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(10_000)
    .describe('how long a stopping gateway waits for requests in progress'),
  ...limitSettings,
  ...streamSettings,
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least severe log line written'),
});
export type GatewayConfig = z.output<typeof gatewayConfig>;
