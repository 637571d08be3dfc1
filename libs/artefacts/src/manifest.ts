import { z } from 'zod';
import { lifetimeSpec } from './lifetime-spec.js';
import { measured } from './measured.js';
import { scoreSpec } from './score-spec.js';
import { sessionSpec } from './session-spec.js';
import { tableEncoding } from './table-encoding.js';
import { upliftSpec } from './uplift-spec.js';

/** Every element type of the Open Inference Protocol that ONNX Runtime takes. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof DATATYPES)[number];

const tensor = z.object({
  name: z.string(),
  datatype: z.enum(DATATYPES),
  shape: z.array(z.number().int()).describe('-1 is the batch dimension'),
});

export const recommendSpec = z.object({
  task: z.literal('recommend'),
  items: z.array(z.string()).min(1).describe('item ids in the order of the model input and output columns'),
  components: z
    .array(
      z.object({
        model: z.enum(['ease', 'ease-relevant', 'ease-near', 'next', 'item-knn', 'als']),
        regularisation: z.number().positive(),
        reachItems: z.number().positive().nullable(),
      }),
    )
    .default([])
    .describe('models whose mean the similarity is; empty = popularity alone'),
  tauItems: z
    .number()
    .positive()
    .nullable()
    .describe('history weight exp(-age/tau) with age counted in items; null = all 1'),
  excludeHistory: z
    .boolean()
    .describe('true where repeats are so rare that showing a known item is a wasted slot'),
  rank: z
    .number()
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('of the factors that the similarity is the product of; null = one dense matrix'),
  similarityFile: z
    .string()
    .describe(
      'float32 little-endian [items + 1, items]: row i = weights from item i, last row = popularity prior; with a rank its factors [items + 1, rank] and [rank, items], one after the other',
    ),
});
export type RecommendSpec = z.output<typeof recommendSpec>;

/** How a moved price changes log units: the line of the elasticity through the model's answers at the usual prices. */
const priceResponse = z.object({
  basis: z.enum(['observed', 'experiment', 'instrument']).describe('what the elasticities rest on'),
  elasticity: z.record(z.string(), z.number().nonpositive()).describe('by product'),
  otherElasticity: z.number().nonpositive().describe('of a product that training did not hold'),
  reference: z
    .record(z.string(), z.array(z.number().positive()).min(1))
    .describe('usual prices of a product of late, where the model is asked for the level; major units'),
});

export const priceSpec = z.object({
  task: z.literal('price'),
  table: tableEncoding,
  family: z.enum(['log-log', 'lightgbm']),
  productColumn: z.string(),
  priceColumn: z
    .string()
    .describe('numeric column in major units of the currency; the encoder takes its logarithm'),
  residualSd: z.number().nonnegative().describe('standard deviation of log units on the validation split'),
  smearing: z
    .number()
    .positive()
    .describe("Duan's smearing factor: expected units = smearing × median units"),
  unitsPeriodDays: z.number().positive().describe('the period that units refer to'),
  priceRange: z
    .record(z.string(), z.tuple([z.number(), z.number()]))
    .describe('lowest and highest price seen by product; no extrapolation beyond'),
  elasticity: z
    .record(z.string(), measured)
    .describe(
      'd ln units / d ln price by product, as observed: whatever comes with a price counts towards it',
    ),
  elasticityGivenContext: z
    .record(z.string(), measured)
    .optional()
    .describe('the same with the context columns held fixed, which is how a quote moves the price'),
  priceResponse: priceResponse
    .optional()
    .describe(
      'present where the ONNX model takes the price as information: then a moved price follows this, not the model',
    ),
  explainFile: z.string().nullable(),
  contextDefaults: z
    .record(z.string(), z.union([z.number(), z.string()]))
    .describe('value of a context column the caller does not give'),
});
export type PriceSpec = z.output<typeof priceSpec>;

/** Where a version comes from that was fitted elsewhere. */
export const importedFrom = z.object({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('of the file as it came; model.onnx has the same nodes under the signature of its task'),
  bytes: z.number().int().positive(),
  producer: z.string().describe('as the file says, e.g. skl2onnx'),
  inputs: z.array(z.string()).describe('names in the file as it came'),
  output: z.string(),
  sampleRows: z.number().int().positive().describe('rows whose answers were compared'),
  largestDifference: z.number().nonnegative(),
});
export type ImportedFrom = z.output<typeof importedFrom>;

/** `manifest.json`: everything the worker needs to serve a version, and how it came to be. */
export const manifest = z.object({
  formatVersion: z.literal(1),
  model: z
    .string()
    .regex(/^[a-z0-9-]+\.(recommend|session|price|lead|churn|purchase|lifetime|uplift)$/)
    .describe('<tenant>.<task>'),
  version: z.number().int().positive(),
  tenantId: z.string(),
  trainedAt: z.iso.datetime(),
  seed: z.number().int(),
  dataSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('of the training rows in order'),
  dataFrom: z.iso.datetime().optional().describe('nothing from before was read; absent = from the beginning'),
  dataTo: z.iso.datetime().optional().describe('nothing from then on was read; absent = trainedAt'),
  dataRows: z.number().int().nonnegative(),
  files: z.array(
    z.object({
      path: z.string().regex(/^[a-z0-9.-]+$/),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.number().int(),
    }),
  ),
  onnx: z.object({
    opset: z.number().int(),
    inputs: z.array(tensor).min(1),
    outputs: z.array(tensor).min(1),
    gpuFile: z
      .string()
      .optional()
      .describe(
        'file for a GPU, of the same signature, where model.onnx has operators that only a CPU runs; absent = model.onnx serves both',
      ),
  }),
  metrics: z.record(z.string(), measured),
  baselineMetrics: z.record(z.string(), measured),
  warmUpBatchSizes: z.array(z.number().int().positive()),
  imported: importedFrom.optional().describe('absent = trained here'),
  monitorFile: z
    .string()
    .optional()
    .describe(
      'what served rows are compared with, `monitoringReference`; absent = the version is not watched',
    ),
  spec: z.discriminatedUnion('task', [
    recommendSpec,
    scoreSpec,
    priceSpec,
    lifetimeSpec,
    upliftSpec,
    sessionSpec,
  ]),
});
export type Manifest = z.output<typeof manifest>;
export type Task = Manifest['spec']['task'];

/** Every task there is, in the order in which people read them. */
export const TASKS = [
  'recommend',
  'session',
  'price',
  'lead',
  'churn',
  'purchase',
  'lifetime',
  'uplift',
] as const satisfies readonly Task[];

/** `card.json`: what a person needs to judge a version. */
export const modelCard = z.object({
  purpose: z.string(),
  trainingData: z.string(),
  features: z.array(z.string()),
  chosenBecause: z.string(),
  metrics: z.record(z.string(), measured),
  baselineMetrics: z.record(z.string(), measured),
  limitations: z.array(z.string()).min(1),
  warnings: z.array(z.string()),
});
export type ModelCard = z.output<typeof modelCard>;

export function modelName(tenantId: string, task: Task): string {
  return `${tenantId}.${task}`;
}
