import { z } from 'zod';

const count = (fallback: number, least = 1) => z.coerce.number().int().min(least).default(fallback);

/** What bounds operations and documents; docs/guides/limits.md says how to choose. */
export const limitSettings = {
  SEXTANT_MAX_DEPTH: count(15).describe(
    'deepest nesting of fields; introspection as graphql-js asks for it has 15',
  ),
  SEXTANT_MAX_TOKENS: count(15_000).describe('longest document, in tokens of GraphQL'),
  SEXTANT_MAX_ALIASES: count(200, 0).describe('most aliases of an operation, fragments in place'),
  SEXTANT_MAX_ROOT_FIELDS: count(100).describe('most root fields of an operation, fragments in place'),
  SEXTANT_MAX_SELECTIONS: count(2_000).describe('most selections of an operation, fragments in place'),
  SEXTANT_MAX_DIRECTIVES: count(200, 0).describe('most directives of an operation, fragments in place'),
  SEXTANT_MAX_COST: count(10_000).describe('highest estimated cost of one operation'),
  SEXTANT_COST_RATE: count(250_000, 0).describe(
    'cost a second that one client of a tenant may use in the long run; 0: no limit',
  ),
  SEXTANT_COST_BURST: count(1_000_000).describe('cost that one client of a tenant may use at once'),
  SEXTANT_GATEWAYS: count(1).describe('gateways that share the load: each grants its share of the rates'),
  SEXTANT_CLIENTS: z
    .string()
    .default('')
    .describe('file of settings by client, role and tenant; followed while the gateway runs'),
  SEXTANT_INTROSPECTION: z
    .string()
    .default('all')
    .describe('who may ask for the schema: `all` who are identified, `off`, or roles separated by commas'),
  SEXTANT_DOCUMENTS: z
    .enum(['open', 'apq', 'safelist'])
    .default('apq')
    .describe('documents that /graphql takes: any; any, also by hash once sent; those of the manifest only'),
  SEXTANT_PARTNER_DOCUMENTS: z
    .enum(['open', 'apq', 'safelist', 'manifest'])
    .default('manifest')
    .describe('the same of /partner/graphql; manifest: safelist where there is one, else apq'),
  SEXTANT_DOCUMENT_MANIFEST: z
    .string()
    .default('')
    .describe('file or folder of persisted documents; followed while the gateway runs'),
};

export type LimitsConfig = z.output<z.ZodObject<typeof limitSettings>>;
