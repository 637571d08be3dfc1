import { ADDRESS_FORM, isWorkerAddress } from '@sextant/inference-protocol';
import { subgraphConfig } from '@sextant/platform';
import { z } from 'zod';

const factor = (fallback: number) => z.coerce.number().positive().default(fallback);
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const milliseconds = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

export const predictionConfig = subgraphConfig({ http: 4103, metrics: 9463 }).extend({
  INFERENCE_URL: z
    .string()
    .default('127.0.0.1:50051')
    .refine(isWorkerAddress, ADDRESS_FORM)
    .describe(
      'inference workers: host:port, several separated by commas; dns:///name:port; k8s:///service.namespace:port',
    ),
  INFERENCE_CHANNELS: whole(1, 16).default(1).describe('connections to each worker'),
  INFERENCE_MAX_ATTEMPTS: whole(1, 10)
    .default(3)
    .describe('attempts at one call to the workers, hedges apart'),
  INFERENCE_RETRY_RATIO: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('second attempts per call in the long run, so that an outage is not multiplied'),
  INFERENCE_HEDGE: z
    .string()
    .regex(/^(off|p\d{2}|\d+)$/, 'must be off, milliseconds, or a quantile such as p95')
    .default('off')
    .describe(
      'when a second worker is asked while the first may still answer: off, milliseconds, or p95 of the latest',
    ),
  MODEL_REPOSITORY: z
    .string()
    .min(1)
    .optional()
    .describe(
      'where versions lie, as for worker and trainer; without it versions can be looked at, not promoted, rolled back or imported',
    ),
  SEXTANT_IMPORT_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with a folder for each tenant, from which importModel reads file: addresses; without it none are read',
    ),
  SEXTANT_IMPORT_MAX_BYTES: whole(1, 2 ** 31 - 1)
    .default(256 * 1024 * 1024)
    .describe('largest ONNX file that is imported'),
  SEXTANT_IMPORT_MEMORY_BYTES: z.coerce
    .number()
    .int()
    .min(256 * 1024 * 1024)
    .default(1024 * 1024 * 1024)
    .describe('memory of the process that tries an imported file, beside that of the subgraph'),
  SEXTANT_IMPORT_TIMEOUT_MS: milliseconds(60_000).describe(
    'longest time that trying an imported file may take',
  ),
  CUSTOMER_URL: z
    .url()
    .default('http://127.0.0.1:4101/graphql')
    .describe('the customer subgraph, which knows which customers, accounts and segments there are'),
  CAMPAIGN_URL: z
    .url()
    .default('http://127.0.0.1:4102/graphql')
    .describe('the campaign subgraph, which has the catalogue and knows which campaigns there are'),
  DECISION_BUDGET_MS: milliseconds(200).describe('time for a decision when the query names no budgetMs'),
  FEATURE_TIMEOUT_MS: milliseconds(1_000).describe(
    'longest wait for features before the cache answers, or an error',
  ),
  CATALOGUE_TIMEOUT_MS: milliseconds(1_000).describe(
    'longest wait for the catalogue before stale rows are used',
  ),
  ANSWER_CACHE_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .default(20_000)
    .describe('last good answers kept for the CACHE rung'),
  PRICE_MIN_COST_FACTOR: factor(1.05).describe('lowest price as a multiple of the cost'),
  PRICE_MIN_LIST_FACTOR: factor(0.7).describe('lowest price as a multiple of the list price'),
  PRICE_MAX_LIST_FACTOR: factor(1.1).describe('highest price as a multiple of the list price'),
});
export type PredictionConfig = z.output<typeof predictionConfig>;
