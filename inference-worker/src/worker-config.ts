import { availableParallelism } from 'node:os';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';
import { PROVIDERS } from './onnx/providers.js';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const flag = (otherwise: boolean) =>
  z
    .enum(['true', 'false', '1', '0'])
    .default(otherwise ? 'true' : 'false')
    .transform((text) => text === 'true' || text === '1');

/** What the worker reads from its environment. */
export const workerConfig = z
  .object({
    PORT: whole(0, 65_535).default(50_051).describe('gRPC port'),
    METRICS_PORT: whole(0, 65_535).default(9_464).describe('HTTP port of /metrics, /health and /models'),
    HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on; 0.0.0.0 in a container'),
    MODEL_REPOSITORY: z
      .string({ error: 'must name a directory laid out as <model>/<version>/model.onnx, or a MongoDB' })
      .min(1)
      .describe('model repository: a directory, or mongodb://host/database?bucket=models for GridFS'),
    MODEL_POLL_MS: whole(50, 3_600_000)
      .default(1_000)
      .describe('pause between two looks at the model repository'),
    MODEL_CONTROL_MODE: z
      .enum(['poll', 'explicit'])
      .default('poll')
      .describe('poll serves what the repository says; explicit loads and unloads by call only'),
    MODEL_AUTOCOMPLETE: flag(false).describe(
      'true serves ONNX files without a manifest, whose signature is then read from the file and which no hash proves',
    ),
    MODEL_IDLE_UNLOAD_MS: whole(0, 2_000_000_000)
      .default(0)
      .describe('a version that nobody called for this long leaves memory until the next call; 0 = never'),
    MODEL_MEMORY_BYTES: z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('ceiling of what loaded versions take together; the longest idle leaves first; 0 = none'),
    MODEL_ON_DEMAND: whole(0, 64)
      .default(4)
      .describe(
        'versions that calls may open by their number although the repository does not ask to serve them; 0 = none, and none under MODEL_CONTROL_MODE=explicit',
      ),
    INFERENCE_THREADS: whole(1, 256)
      .default(Math.max(1, availableParallelism() - 1))
      .describe('threads that run models; one core is left to the transport'),
    INFERENCE_PROVIDERS: z
      .string()
      .default('cpu')
      .transform((text) => text.split(',').map((name) => name.trim()))
      .pipe(
        z.array(z.enum(PROVIDERS)).refine((names) => new Set(names).size === names.length, 'names one twice'),
      )
      .describe('execution providers in the order in which each model tries them, separated by commas'),
    INFERENCE_GPU_STRICT: flag(true).describe(
      'true: a GPU provider takes a model only if it runs every node of it; false: the rest of its nodes run on the CPU',
    ),
    INFERENCE_MAX_BATCH_ROWS: whole(1, 65_536).default(256).describe('rows in one session.run call'),
    INFERENCE_INLINE_MS: z.coerce
      .number()
      .min(0)
      .max(5)
      .default(0.5)
      .describe(
        'longest run that the main thread takes on itself, for models so small that the way to a thread costs more; 0: none',
      ),
    INFERENCE_QUEUE_ROWS: whole(1, 1_000_000)
      .default(65_536)
      .describe('rows that may wait for one model; a price search asks for up to 320 rows a quote'),
    INFERENCE_MAX_REQUEST_ROWS: whole(1, 1_000_000).default(8_192).describe('rows in one request'),
    INFERENCE_MAX_MESSAGE_BYTES: whole(1_024, 512 * 1024 * 1024)
      .default(16 * 1024 * 1024)
      .describe('largest gRPC message, either way'),
    INFERENCE_MAX_STREAMS: whole(1, 100_000)
      .default(200)
      .describe('calls that one connection may have open; further ones wait in the client'),
    INFERENCE_DEFAULT_DEADLINE_MS: whole(1, 600_000)
      .default(30_000)
      .describe('deadline of a call that brings none'),
    MAX_CONNECTION_AGE_MS: whole(1_000, 86_400_000)
      .default(300_000)
      .describe('age at which a connection is closed gracefully, so that clients find new replicas'),
    SHUTDOWN_GRACE_MS: whole(0, 600_000)
      .default(10_000)
      .describe('longest wait for running calls after SIGTERM'),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('least severe log line written'),
  })
  .refine((config) => config.INFERENCE_MAX_REQUEST_ROWS <= config.INFERENCE_QUEUE_ROWS, {
    path: ['INFERENCE_MAX_REQUEST_ROWS'],
    message: 'must not exceed INFERENCE_QUEUE_ROWS, or such a request could never be served',
  });
export type WorkerConfig = z.output<typeof workerConfig>;

/** @throws DomainError CONFIG_INVALID naming every bad variable at once */
export function loadWorkerConfig(env: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const result = workerConfig.safeParse(env);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new DomainError('CONFIG_INVALID', `bad configuration, nothing was started:\n${lines.join('\n')}`);
}
