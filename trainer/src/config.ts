import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';

/** What the trainer needs from its environment; a local Sextant's own access file fills in what is not set. */
export const trainerConfig = z.object({
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must be a mongodb:// URI')
    .describe('store; events are read from it, jobs and versions recorded in it'),
  MODEL_REPOSITORY: z
    .string()
    .min(1)
    .describe('a directory, or mongodb://host/database?bucket=models for GridFS'),
  LIGHTGBM_LIBRARY: z.string().optional().describe('path of lib_lightgbm; searched for when not set'),
  TRAINER_POLL_MS: z.coerce
    .number()
    .int()
    .min(50)
    .default(500)
    .describe('how often the job runner looks for work'),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(9465)
    .describe('/metrics and /health of `trainer work`'),
  HOST: z.string().default('127.0.0.1').describe('0.0.0.0 in a container'),
  INFERENCE_URL: z
    .string()
    .default('127.0.0.1:50051')
    .describe('workers, as the prediction subgraph names them: challengers are asked there'),
  CONTINUOUS_ROUND_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(5_000)
    .describe('pause between two looks at policies and challengers'),
  CONTINUOUS_COOLDOWN_MINUTES: z.coerce
    .number()
    .min(0)
    .default(60)
    .describe('least pause between two trainings of a task that nobody asked for'),
  MONITOR_WINDOW_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(168)
    .default(24)
    .describe(
      'length of the windows in which served decisions are compared with training; of 24, days in UTC',
    ),
  MONITOR_PERIOD_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(300_000)
    .default(10_000)
    .describe('how often workers tell what they counted: what a worker that is killed takes with it'),
  MONITOR_ROUND_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(60_000)
    .describe('pause between two looks for windows that closed'),
  MODEL_KEEP_DAYS: z.coerce
    .number()
    .min(1)
    .default(180)
    .describe('how long the files of a version stay after it left service; decisions are logged as long'),
});
export type TrainerConfig = z.output<typeof trainerConfig>;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws DomainError CONFIG_INVALID listing every bad variable and how to get a store */
export function readTrainerConfig(env: Environment): TrainerConfig {
  const parsed = trainerConfig.safeParse({ ...localAccess(env), ...definedOf(env) });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new DomainError(
    'CONFIG_INVALID',
    `${lines.join('\n')}\nStart Sextant with \`npm start\`, or set MONGODB_URI and MODEL_REPOSITORY`,
  );
}

function localAccess(env: Environment): Record<string, string> {
  const path = join(resolve(env['SEXTANT_DATA_DIR'] || '.data'), 'access.json');
  try {
    const { mongodb, models } = JSON.parse(readFileSync(path, 'utf8')) as {
      mongodb?: string;
      models?: string;
    };
    return { ...(mongodb && { MONGODB_URI: mongodb }), ...(models && { MODEL_REPOSITORY: models }) };
  } catch {
    return {};
  }
}

function definedOf(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
}
