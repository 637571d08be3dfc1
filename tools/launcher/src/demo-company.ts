import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from './graph-client.js';
import type { Progress } from './progress.js';
import type { Settings } from './settings.js';

export const DEMO_TENANT = 'demo';
const DEMO_SEED = 42;
/** What the printed queries ask; trained before the graph is called ready. */
const FIRST_TASKS = ['recommend', 'price', 'lead'] as const;
const FURTHER_TASKS = ['session', 'churn', 'purchase', 'lifetime', 'uplift'] as const;
const TRAINING_LIMIT_MS = 10 * 60_000;

type GraphQuestions = Pick<GraphClient, 'ask'>;

interface Job {
  id: string;
  state: string;
  progress: number;
  modelVersion: { id: string } | null;
  failure: { message: string } | null;
}

/** Fills an empty store with the simulator's company, through the same import that anyone's own data takes. */
export async function loadDemoCompany(
  settings: Settings,
  client: GraphClient,
  progress: Progress,
): Promise<void> {
  const { customers } = await client.ask<{ customers: { nodes: unknown[] } }>(
    '{ customers(first: 1) { nodes { id } } }',
  );
  if (customers.nodes.length > 0) return;
  const folder = join(settings.dataDir, 'demo');
  const until = new Date().toISOString().slice(0, 10);
  const script = (path: string) => join(settings.repositoryRoot, path);
  await progress.step('simulate the demo company', () =>
    runTool(
      script('simulator/dist/main.js'),
      ['--seed', String(DEMO_SEED), '--until', until, '--out', folder],
      (share) => progress.bar('simulate the demo company', share),
    ),
  );
  const summary = await progress.step(
    'import its events through the graph',
    () =>
      runTool(
        script('tools/cli/dist/main.js'),
        ['import', '--mapping', 'simulator', '--data', folder, '--tenant', DEMO_TENANT],
        (share) => progress.bar('import its events through the graph', share),
        { SEXTANT_DATA_DIR: settings.dataDir },
      ),
    (output) =>
      output
        .trim()
        .split('\n')
        .find((line) => line.startsWith('events')) ?? '',
  );
  await rm(folder, { recursive: true, force: true });
  if (!summary) throw new Error('the import said nothing');
}

/**
 * Trains what the printed queries ask, so far as it is missing, by the same mutation that anyone may call. What cannot be trained
 * is reported: rules answer in its place.
 */
export async function trainFirstModels(client: GraphQuestions, progress: Progress): Promise<void> {
  for (const task of FIRST_TASKS) {
    if (await isLive(client, task)) continue;
    const title = `train ${task}`;
    await progress
      .step(
        title,
        () => train(client, task, (share) => progress.bar(title, share)),
        (job) => job.modelVersion?.id ?? '',
      )
      .catch((error: unknown) => progress.line(notTrained(task, error)));
  }
}

/**
 * Trains the rest, so far as it is missing, while the graph answers already; a line for each, and one when all is done. What
 * cannot be trained is reported, and the others go on.
 */
export async function trainFurtherModels(
  client: GraphQuestions,
  say: (text: string) => void,
  isStopping: () => boolean,
): Promise<void> {
  let [trained, tried] = [0, 0];
  for (const task of FURTHER_TASKS) {
    const started = Date.now();
    try {
      if (await isLive(client, task)) continue;
      tried += 1;
      const job = await train(client, task, () => undefined);
      const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
      say(`${seconds} s  train ${task}: ${job.modelVersion?.id ?? ''}`);
      trained += 1;
    } catch (error) {
      if (isStopping()) return;
      say(notTrained(task, error));
    }
  }
  if (tried > 0) say(`The rest is learnt: ${trained} of ${tried} models.`);
}

function notTrained(task: string, error: unknown): string {
  return `          ${task} is not trained: ${error instanceof Error ? error.message : String(error)}`;
}

async function isLive(client: GraphQuestions, task: string): Promise<boolean> {
  const { model } = await client.ask<{ model: { live: { id: string } | null } | null }>(
    'query ($id: ID!) { model(id: $id) { live { id } } }',
    { id: task },
  );
  return Boolean(model?.live);
}

async function train(
  client: GraphQuestions,
  task: string,
  onProgress: (share: number) => void,
): Promise<Job> {
  const { trainModel } = await client.ask<{ trainModel: { id: string } }>(
    'mutation ($input: TrainInput!) { trainModel(input: $input) { id } }',
    {
      input: { task, notes: 'first training of the demo company' },
    },
  );
  const deadline = Date.now() + TRAINING_LIMIT_MS;
  while (Date.now() < deadline) {
    const { trainingJob: job } = await client.ask<{ trainingJob: Job }>(
      'query ($id: ID!) { trainingJob(id: $id) { id state progress failure { message } modelVersion { id } } }',
      { id: trainModel.id },
    );
    if (job.state === 'SUCCEEDED') return job;
    if (job.state === 'FAILED' || job.state === 'CANCELLED')
      throw new Error(
        `training ${task} ${job.state.toLowerCase()}: ${job.failure?.message ?? 'no reason was given'}`,
      );
    onProgress(job.progress);
    await sleep(250);
  }
  throw new Error(`training ${task} took longer than ${TRAINING_LIMIT_MS / 60_000} minutes`);
}

/** Runs one of our command-line tools; a percentage on its stderr moves the bar. */
function runTool(
  script: string,
  args: string[],
  onProgress: (share: number) => void,
  env: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let output = '';
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000);
      const share = shareIn(chunk.toString());
      if (share !== null) onProgress(share);
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${args[0]} ended with code ${code}: ${complaint.trim()}`)),
    );
  });
}

/** How far a tool says it is: `45 %`, or `12 of 120 days`. */
function shareIn(text: string): number | null {
  const found = [...text.matchAll(/(\d+) ?%|(\d+) of (\d+) days/g)].at(-1);
  if (!found) return null;
  return found[1] === undefined ? Number(found[2]) / Number(found[3]) : Number(found[1]) / 100;
}
