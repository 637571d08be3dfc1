import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { TASKS } from '@sextant/artefacts';
import { Argument, Command } from 'commander';
import { wholeNumber } from '../flags.js';
import type { JobAnswer } from './model-answers.js';
import { type ModelFlags, type ModelSurroundings, printAnswer } from './model-surroundings.js';
import { jobsTable, resultOf } from './model-text.js';
import type { ModelClient } from './model.client.js';

const POLL_MS = 500;
const MAX_SEED = 2 ** 31 - 1;

interface TrainFlags extends ModelFlags {
  wait?: boolean;
  seed: string;
  maxMinutes: string;
  dataFrom?: string;
  dataTo?: string;
  notes?: string;
}

/** Commands on training runs. */
export function trainingCommands(surroundings: ModelSurroundings): Command[] {
  const { client } = surroundings;
  return [
    new Command('jobs')
      .description('training runs, newest first')
      .option('--task <task>', 'of one task only')
      .option('--first <n>', 'how many', '20')
      .action(async (flags: ModelFlags & { task?: string; first: string }) => {
        const first = wholeNumber('--first', flags.first, 100);
        const answer = await client(flags).jobs(first, flags.task ?? null);
        printAnswer(surroundings, flags, { answer, text: jobsTable });
      }),
    new Command('train')
      .description('learn a new version from the events in the store')
      .addArgument(new Argument('<task>', 'what to learn').choices(TASKS))
      .option('--wait', 'until the run has ended; exit code 1 when it did not succeed')
      .option('--data-from <instant>', 'nothing from before is read, such as 2026-01-01T00:00:00Z')
      .option('--data-to <instant>', 'nothing from then on is read')
      .option('--seed <n>', 'of every random draw', '42')
      .option('--max-minutes <n>', 'longest run time', '30')
      .option('--notes <text>', 'why, for the record')
      .action((task: string, flags: TrainFlags) => train(surroundings, task, flags)),
  ];
}

async function train(surroundings: ModelSurroundings, task: string, flags: TrainFlags): Promise<void> {
  const { dataFrom, dataTo, notes } = flags;
  const models = surroundings.client(flags);
  const asked = await models.train({
    task,
    seed: wholeNumber('--seed', flags.seed, MAX_SEED, 0),
    maxMinutes: wholeNumber('--max-minutes', flags.maxMinutes, 600),
    idempotencyKey: randomUUID(),
    ...(dataFrom !== undefined && { dataFrom }),
    ...(dataTo !== undefined && { dataTo }),
    ...(notes !== undefined && { notes }),
  });
  const answer = flags.wait ? await untilEnded(surroundings, models, asked) : asked;
  printAnswer(surroundings, flags, { answer, text: describe });
  if (answer.state === 'FAILED' || answer.state === 'CANCELLED') surroundings.fail();
}

function describe(job: JobAnswer): string {
  if (job.state === 'QUEUED') return `${job.id} is queued: \`sextant model jobs\` shows what comes of it\n`;
  return `${job.id} ${job.state}: ${resultOf(job)}\n`;
}

/** Asks until the run has ended and says each new step. The trainer ends what takes longer than it may. */
async function untilEnded(
  { say }: Pick<ModelSurroundings, 'say'>,
  models: Pick<ModelClient, 'job'>,
  asked: JobAnswer,
): Promise<JobAnswer> {
  let said = '';
  for (let job = asked; ; job = await models.job(asked.id)) {
    if (job.state !== 'QUEUED' && job.state !== 'RUNNING') return job;
    const line = job.state === 'QUEUED' ? 'waiting for the trainer' : (job.step ?? 'starting');
    if (line !== said) say(`[${String(Math.round(100 * job.progress)).padStart(3)} %] ${line}`);
    said = line;
    await wait(POLL_MS);
  }
}
