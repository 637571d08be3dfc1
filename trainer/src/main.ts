import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelRepository, type Task, TASKS } from '@sextant/artefacts';
import { BatchJobs, CustomerScores } from '@sextant/batch-scoring';
import { DomainError, isTenantId } from '@sextant/domain';
import {
  ModelLifecycle,
  ModelVersions,
  openModelRepository,
  TrainingHistory,
  TrainingJobs,
} from '@sextant/model-registry';
import { OperationsServer, type ReadinessCheck } from '@sextant/telemetry';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type Db, MongoClient } from 'mongodb';
import { type Logger, pino } from 'pino';
import { BatchRunner } from './batch/batch-runner.js';
import { ComputeBudget } from './compute-budget.js';
import { readTrainerConfig, type TrainerConfig } from './config.js';
import { continuousTraining } from './continuous/start-continuous.js';
import { JobRunner } from './job-runner.js';
import { replaceServing, showServing } from './model-serving.js';
import { startMonitoring } from './monitoring/start-monitoring.js';
import { Publisher } from './publisher.js';
import { RecoveryRounds } from './recovery-rounds.js';
import { TrainerMetrics } from './trainer-metrics.js';
import { trainAndPublish } from './training-run.js';

const DAY_MS = 24 * 60 * 60_000;

interface TrainFlags {
  task: Task;
  tenant: string;
  seed: number;
  dataFrom?: string;
  dataTo?: string;
}

/** Fits one model on the events in the store, publishes it and brings it into service as its policy wants it. */
async function train({ tenant, ...options }: TrainFlags): Promise<string> {
  const config = readTrainerConfig(process.env);
  const order = { tenantId: tenant, ...options };
  const { manifest, findings } = await trainAndPublish(config, order, (share, step) => {
    process.stderr.write(`[${String(Math.round(share * 100)).padStart(3)} %] ${step}\n`);
  });
  const { model, version } = manifest;
  const { said } = await withPublisher(async (publisher) =>
    publisher.rollOut(tenant, await publisher.register({ model, version, findings })),
  );
  const metrics = Object.entries(manifest.metrics).map(
    ([name, m]) => `${name} ${m.value.toFixed(4)} (${m.low.toFixed(4)}–${m.high.toFixed(4)})`,
  );
  return `${said}: ${metrics.join(', ')}`;
}

/** Puts a version live that lies in the repository: the next one, or an older one again. */
async function goLive(options: { model: string; version: number; override?: string }): Promise<string> {
  const { said, isLive } = await withPublisher((publisher) =>
    publisher.goLive(options, options.override ?? null),
  );
  if (!isLive) process.exitCode = 1;
  return said;
}

async function withPublisher<T>(use: (publisher: Publisher) => Promise<T>): Promise<T> {
  const config = readTrainerConfig(process.env);
  const client = new MongoClient(config.MONGODB_URI);
  try {
    return await withRepository(config, (repository) =>
      use(new Publisher(repository, new ModelVersions(client.db()))),
    );
  } finally {
    await client.close();
  }
}

async function serving(options: { model: string; file?: string }): Promise<string> {
  const { model, file } = options;
  return withRepository(readTrainerConfig(process.env), async (repository) =>
    file === undefined
      ? showServing(repository, model)
      : replaceServing(repository, model, await readFile(file, 'utf8')),
  );
}

async function withRepository<T>(
  { MODEL_REPOSITORY }: TrainerConfig,
  use: (repository: ModelRepository) => Promise<T>,
): Promise<T> {
  const repository = await openModelRepository(MODEL_REPOSITORY);
  return use(repository).finally(() => repository.close());
}

/** What `work` does beside each other, each until it is stopped. */
interface Service {
  run(): Promise<void>;
  stop(): void;
}

async function batchRunner(db: Db, { TRAINER_POLL_MS }: TrainerConfig, logger: Logger): Promise<BatchRunner> {
  const jobs = new BatchJobs(db);
  await Promise.all([jobs.ensureIndexes(), new CustomerScores(db).ensureIndexes()]);
  const processPath = join(import.meta.dirname, 'batch/batch-process.js');
  return new BatchRunner(jobs, { pollMs: TRAINER_POLL_MS, processPath, logger });
}

/** Works on training and batch jobs until told to stop. */
async function work(): Promise<void> {
  const config = readTrainerConfig(process.env);
  const logger = pino({ base: { service: 'trainer' } });
  const client = new MongoClient(config.MONGODB_URI);
  const jobs = new TrainingJobs(client.db());
  const versions = new ModelVersions(client.db());
  await Promise.all([jobs.ensureIndexes(), versions.ensureIndexes()]);
  const repository = await openModelRepository(config.MODEL_REPOSITORY);
  const publisher = new Publisher(repository, versions);
  const processPath = join(import.meta.dirname, 'training-process.js');
  const pollMs = config.TRAINER_POLL_MS;
  const budget = new ComputeBudget(versions.policies, new TrainingHistory(client.db()));
  const runner = new JobRunner(jobs, publisher, { pollMs, processPath, logger, budget });
  const batches = await batchRunner(client.db(), config, logger);
  const metrics = new TrainerMetrics(() => jobs.countByState(new Date(Date.now() - DAY_MS)));
  const operations = new OperationsServer(metrics.registry, [pingOf(client)]);
  const metricsPort = await operations.listen(config.METRICS_PORT, config.HOST);
  const continuous = await continuousTraining({
    db: client.db(),
    repository,
    versions,
    jobs,
    metrics,
    config,
    logger,
  });
  const { registry } = metrics;
  const watching = await startMonitoring({ db: client.db(), repository, versions, registry, config, logger });
  const recovery = new RecoveryRounds(new ModelLifecycle(repository, versions), logger);
  const services: readonly Service[] = [recovery, runner, batches, continuous, ...watching];
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => services.forEach((service) => service.stop()));
  logger.info({ metricsPort }, 'the trainer waits for jobs');
  await Promise.all(services.map((service) => service.run()));
  operations.startDraining();
  await operations.close();
  await repository.close();
  await client.close();
}

/** Within a second: a probe waits no longer. */
function pingOf(client: MongoClient): ReadinessCheck {
  const isReady = async (): Promise<boolean> => {
    await client.db().command({ ping: 1 }, { timeoutMS: 1_000 });
    return true;
  };
  return { name: 'store', isReady };
}

function tenant(value: string): string {
  if (!isTenantId(value)) throw new InvalidArgumentError('a tenant is a DNS label such as demo');
  return value;
}

function instant(value: string): string {
  if (/^\d{4}-\d{2}-\d{2}T/.test(value) && !Number.isNaN(Date.parse(value))) return value;
  throw new InvalidArgumentError(`an instant such as 2026-01-31T00:00:00Z, not "${value}"`);
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number)) throw new InvalidArgumentError(`a whole number, not "${value}"`);
  return number;
}

const program = new Command('trainer')
  .description('learns models from the events in the store')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program
  .command('train')
  .description('fit one model, write its version into the model repository and put it live')
  .addOption(new Option('--task <task>', 'what to learn').choices(TASKS).makeOptionMandatory())
  .option('--tenant <id>', 'whose events', tenant, 'demo')
  .option('--seed <n>', 'seed of every random draw', wholeNumber, 42)
  .option('--data-from <instant>', 'nothing from before is read (RFC 3339)', instant)
  .option(
    '--data-to <instant>',
    'nothing from then on is read; the same period gives the same files',
    instant,
  )
  .action(async (options: TrainFlags) => {
    process.stdout.write(`${await train(options)}\n`);
  });
program
  .command('live')
  .description('put a version live, also an older one again')
  .requiredOption('--model <name>', '<tenant>.<task>')
  .requiredOption('--version <n>', 'number of the version', wholeNumber)
  .option('--override <reason>', 'why failed gates are taken upon oneself; kept with the version')
  .action(async (options: { model: string; version: number; override?: string }) => {
    process.stdout.write(`${await goLive(options)}\n`);
  });
program
  .command('serving')
  .description('show how a model is served (aliases, canary, shadow, batching), or replace it')
  .requiredOption('--model <name>', '<tenant>.<task>')
  .option('--file <path>', 'a serving.json that replaces the present one')
  .action(async (options: { model: string; file?: string }) => {
    process.stdout.write(`${await serving(options)}\n`);
  });
program.command('work').description('take training and batch jobs off the queue').action(work);

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof DomainError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
