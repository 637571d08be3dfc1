import { join } from 'node:path';
import { type Task, TASKS } from '@sextant/artefacts';
import { DomainError, isTenantId } from '@sextant/domain';
import { ModelVersions, openModelRepository, TrainingJobs } from '@sextant/model-registry';
import { Command, InvalidArgumentError, Option } from 'commander';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { readTrainerConfig } from './config.js';
import { JobRunner } from './job-runner.js';
import { Publisher } from './publisher.js';
import { trainAndPublish } from './training-run.js';

/** Fits one model on the events in the store, publishes it and puts it live. */
async function train(options: { task: Task; tenant: string; seed: number }): Promise<string> {
  const config = readTrainerConfig(process.env);
  const order = { tenantId: options.tenant, task: options.task, seed: options.seed };
  const manifest = await trainAndPublish(config, order, (share, step) => {
    process.stderr.write(`[${String(Math.round(share * 100)).padStart(3)} %] ${step}\n`);
  });
  const client = new MongoClient(config.MONGODB_URI);
  const repository = await openModelRepository(config.MODEL_REPOSITORY);
  try {
    const publisher = new Publisher(repository, new ModelVersions(client.db()));
    const id = await publisher.goLive(manifest.model, manifest.version);
    const metrics = Object.entries(manifest.metrics).map(
      ([name, m]) => `${name} ${m.value.toFixed(4)} (${m.low.toFixed(4)}–${m.high.toFixed(4)})`,
    );
    return `${id} is live: ${metrics.join(', ')}`;
  } finally {
    await repository.close();
    await client.close();
  }
}

/** Works on training jobs until told to stop. */
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
  const runner = new JobRunner(jobs, publisher, { pollMs: config.TRAINER_POLL_MS, processPath, logger });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => runner.stop());
  logger.info('the trainer waits for jobs');
  await runner.run();
  await repository.close();
  await client.close();
}

function tenant(value: string): string {
  if (!isTenantId(value)) throw new InvalidArgumentError('a tenant is a DNS label such as demo');
  return value;
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
  .action(async (options: { task: Task; tenant: string; seed: number }) => {
    process.stdout.write(`${await train(options)}\n`);
  });
program.command('work').description('take training jobs off the queue').action(work);

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof DomainError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
