import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Argument, Command } from 'commander';
import type { TokenAuthority } from '../access/token-mint.js';
import { wholeNumber } from '../flags.js';
import { connectionOf, type ConnectionFlags, withConnection } from '../graph/connection.js';
import { GraphClient } from '../graph/graph.client.js';
import { alignedRows } from '../output/aligned-rows.js';
import { BatchClient, type BatchJobAnswer, type TopAnswer } from './batch.client.js';

const TASKS = ['lead', 'churn', 'purchase'] as const;
const POLL_MS = 1_000;
/** A person waits: the gateway is given this long to come back. */
const PATIENCE_MS = 10_000;

interface BatchOutput {
  print: (text: string) => void;
  /** progress and asides */
  say: (line: string) => void;
  /** what was asked for was not done, which makes the exit code 1 */
  fail: () => void;
}

interface BatchSurroundings extends BatchOutput {
  client: (flags: ConnectionFlags) => BatchClient;
}

interface BatchFlags extends ConnectionFlags {
  json?: boolean;
}

/** `sextant batch`: scores of all customers. */
export function batchCommand(authority: TokenAuthority, output: BatchOutput): Command {
  const surroundings: BatchSurroundings = {
    ...output,
    client: (flags) =>
      new BatchClient(
        new GraphClient({
          ...connectionOf(flags, authority),
          patienceMs: PATIENCE_MS,
          onRetry: (reason) => output.say(`the gateway is not there yet (${reason}); trying again`),
        }),
      ),
  };
  const command = new Command('batch').description('score all customers at once, and read what came of it');
  for (const sub of [scoreCommand(surroundings), ...jobCommands(surroundings), topCommand(surroundings)])
    command.addCommand(withConnection(sub).option('--json', 'print what the graph answers, as one line'));
  return command;
}

function taskArgument(): Argument {
  return new Argument('<task>', 'which score').choices(TASKS);
}

function scoreCommand(surroundings: BatchSurroundings): Command {
  return new Command('score')
    .description('queue the scoring of all customers by the live version')
    .addArgument(taskArgument())
    .option('--wait', 'until the job has ended; exit code 1 when it did not succeed')
    .action(async (task: string, flags: BatchFlags & { wait?: boolean }) => {
      const client = surroundings.client(flags);
      const asked = await client.score(task, randomUUID());
      const job = flags.wait ? await untilEnded(surroundings, client, asked) : asked;
      show(surroundings, flags, job);
      if (job.state === 'FAILED' || job.state === 'CANCELLED') surroundings.fail();
    });
}

function jobCommands(surroundings: BatchSurroundings): Command[] {
  const { client, print } = surroundings;
  return [
    new Command('list')
      .description('batch jobs, newest first')
      .option('--first <n>', 'how many', '20')
      .action(async (flags: BatchFlags & { first: string }) => {
        const jobs = await client(flags).jobs(wholeNumber('--first', flags.first, 100));
        print(flags.json ? `${JSON.stringify(jobs)}\n` : jobs.map(textOf).join(''));
      }),
    new Command('show')
      .description('how far a job is')
      .argument('<id>')
      .action(async (id: string, flags: BatchFlags) =>
        show(surroundings, flags, await client(flags).job(id)),
      ),
    new Command('cancel')
      .description('stop a job; what it wrote stays')
      .argument('<id>')
      .action(async (id: string, flags: BatchFlags) =>
        show(surroundings, flags, await client(flags).change('stopScoring', id)),
      ),
    new Command('resume')
      .description('let a failed or cancelled job go on where it stopped')
      .argument('<id>')
      .action(async (id: string, flags: BatchFlags) =>
        show(surroundings, flags, await client(flags).change('resumeScoring', id)),
      ),
  ];
}

function topCommand({ client, print }: BatchSurroundings): Command {
  return new Command('top')
    .description('the customers with the highest stored scores')
    .addArgument(taskArgument())
    .option('--first <n>', 'how many', '20')
    .action(async (task: string, flags: BatchFlags & { first: string }) => {
      const customers = await client(flags).top(task, wholeNumber('--first', flags.first, 100));
      print(flags.json ? `${JSON.stringify(customers)}\n` : topTable(customers));
    });
}

function show({ print }: BatchOutput, { json }: BatchFlags, job: BatchJobAnswer): void {
  print(json ? `${JSON.stringify(job)}\n` : textOf(job));
}

function textOf(job: BatchJobAnswer): string {
  const { id, task, state, customers, scored, failed, customersPerSecond, modelVersion } = job;
  const by = modelVersion ? ` by ${modelVersion.id}` : '';
  const rate = customersPerSecond === null ? '' : `, ${Math.round(customersPerSecond)} a second`;
  const lines = [
    `${id} ${task} ${state}: ${scored} of ${customers ?? 'all'} customers scored${by}${rate}`,
    ...(failed > 0
      ? [
          `  ${failed} could not be: ${job.failures.map((each) => `${each.customers} ${each.code}`).join(', ')}`,
        ]
      : []),
    ...(job.note ? [`  ${job.note}`] : []),
    ...(job.failure ? [`  ${job.failure.code}: ${job.failure.message}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function topTable(customers: TopAnswer): string {
  if (customers.length === 0) return 'nobody has a stored score yet: `sextant batch score` makes them\n';
  const rows = customers.map(({ customer, probability, band, asOf }) => [
    customer.id,
    probability.toFixed(4),
    band,
    asOf,
  ]);
  return `${alignedRows([['customer', 'probability', 'band', 'as of'], ...rows], { align: 'words' }).join('\n')}\n`;
}

async function untilEnded(
  { say }: BatchOutput,
  client: Pick<BatchClient, 'job'>,
  asked: BatchJobAnswer,
): Promise<BatchJobAnswer> {
  for (let job = asked, said = ''; ; job = await client.job(asked.id)) {
    if (job.state !== 'QUEUED' && job.state !== 'RUNNING') return job;
    const eta = job.etaSeconds === null ? '' : `, ${job.etaSeconds} s to go`;
    const line =
      job.state === 'QUEUED' ? 'waiting for the trainer' : `[${Math.round(100 * job.progress)} %]${eta}`;
    if (line !== said) say(line);
    said = line;
    await wait(POLL_MS);
  }
}
