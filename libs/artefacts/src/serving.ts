import { DomainError } from '@sextant/domain';
import { z } from 'zod';

const version = z.number().int().positive();
const share = z.number().min(0).max(1);

/** `serving.json` beside a model's versions: how the model is served. Which version is live stands in the pointer `live`. */
export const servingConfig = z.strictObject({
  aliases: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be a small letter followed by a-z, 0-9 or -'),
      version,
    )
    .default({})
    .describe('names that a caller may ask for instead of a version, e.g. {"challenger": 7}'),
  versions: z
    .array(version)
    .max(32)
    .default([])
    .describe('versions to keep loaded besides those that are live, canary, shadow or have an alias'),
  canary: z
    .strictObject({
      version,
      share: share.describe('of the calls that name no version, by their routing key'),
    })
    .optional()
    .describe('serves a share of the calls in place of the live version'),
  shadow: z
    .strictObject({ version, share: share.describe('of the calls that the live version answered') })
    .optional()
    .describe('runs a share of the calls again after their answer, to be compared; nobody sees its answers'),
  batching: z
    .strictObject({
      maxRows: z.number().int().min(1).max(65_536).optional().describe('rows in one run'),
      maxQueueDelayMicros: z
        .number()
        .int()
        .min(0)
        .max(1_000_000)
        .optional()
        .describe('how long rows may wait for company while a thread is idle'),
      instances: z
        .number()
        .int()
        .min(1)
        .max(256)
        .optional()
        .describe('runs of the model at the same time; without it as many as there are threads'),
    })
    .default({}),
  execution: z
    .strictObject({
      providers: z
        .array(z.enum(['cuda', 'tensorrt', 'webgpu', 'cpu']))
        .min(1)
        .optional()
        .describe("execution providers in the order in which they are tried, in place of the worker's"),
      strict: z
        .boolean()
        .optional()
        .describe("whether a GPU must run every node of the model, in place of the worker's"),
    })
    .default({}),
  idleUnloadMs: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('a version that nobody called for this long leaves memory until the next call; 0 = never'),
});
export type ServingConfig = z.output<typeof servingConfig>;

export const DEFAULT_SERVING: ServingConfig = servingConfig.parse({});

/** @throws DomainError ARTEFACT_INVALID naming the model and the first bad field */
export function parseServingConfig(model: string, text: string): ServingConfig {
  const refuse = (message: string, cause?: unknown): DomainError =>
    new DomainError('ARTEFACT_INVALID', `${model}/serving.json: ${message}`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse('is not JSON', cause);
  }
  const parsed = servingConfig.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw refuse(`${path === '' ? 'the file' : path}: ${issue?.message ?? 'is not valid'}`);
}
