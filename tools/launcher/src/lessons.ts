import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from './graph-client.js';

export type GraphQuestions = Pick<GraphClient, 'ask'>;

/** Something that the demo company learns once, by the same mutation that anyone may call. */
export interface Lesson {
  name: string;
  isLearnt(client: GraphQuestions): Promise<boolean>;
  /** @returns what came of it, in a few words */
  learn(client: GraphQuestions, onProgress: (share: number) => void): Promise<string>;
}

/** The longest a job may take; the trainer ends it itself by then. */
const LIMIT_MS = 30 * 60_000;
const POLL_MS = 250;

/** What the printed queries ask; learnt before the graph is called ready. */
export const FIRST_LESSONS: readonly Lesson[] = ['recommend', 'price', 'lead'].map(training);
/** What is learnt while the graph answers already, quick ones first. */
export const FURTHER_LESSONS: readonly Lesson[] = [
  ...['churn', 'purchase', 'lifetime'].map(training),
  { name: 'discover segments', isLearnt: hasSegments, learn: discoverSegments },
  ...['uplift', 'session'].map(training),
];

function training(task: string): Lesson {
  return {
    name: `train ${task}`,
    isLearnt: async (client) => {
      const { model } = await client.ask<{ model: { live: { id: string } | null } | null }>(
        'query ($id: ID!) { model(id: $id) { live { id } } }',
        { id: task },
      );
      return Boolean(model?.live);
    },
    learn: (client, onProgress) => train(client, task, onProgress),
  };
}

interface Job {
  state: string;
  progress: number;
  modelVersion: { id: string } | null;
  failure: { message: string } | null;
}

async function train(
  client: GraphQuestions,
  task: string,
  onProgress: (share: number) => void,
): Promise<string> {
  const { startTraining } = await client.ask<{
    startTraining: { job: { id: string } | null; userErrors: { code: string; message: string }[] };
  }>(
    'mutation ($input: TrainInput!) { startTraining(input: $input) { job { id } userErrors { code message } } }',
    { input: { task, notes: 'first training of the demo company' } },
  );
  const { job: begun, userErrors } = startTraining;
  if (!begun) throw new Error(userErrors.map(({ code, message }) => `${code}: ${message}`).join('; '));
  return within(async () => {
    const { trainingJob: job } = await client.ask<{ trainingJob: Job }>(
      'query ($id: ID!) { trainingJob(id: $id) { id state progress failure { message } modelVersion { id } } }',
      { id: begun.id },
    );
    if (job.state === 'SUCCEEDED') return job.modelVersion?.id ?? '';
    if (job.state === 'FAILED' || job.state === 'CANCELLED')
      throw new Error(job.failure?.message ?? `the job is ${job.state.toLowerCase()}, without a reason`);
    onProgress(job.progress);
    return null;
  });
}

interface Discovery {
  state: string;
  failure: { message: string } | null;
}

const DISCOVERY = 'query { segmentDiscovery { state failure { message } } }';

async function hasSegments(client: GraphQuestions): Promise<boolean> {
  const { segmentDiscovery } = await client.ask<{ segmentDiscovery: Discovery | null }>(DISCOVERY);
  return segmentDiscovery?.state === 'SUCCEEDED';
}

async function discoverSegments(client: GraphQuestions): Promise<string> {
  const { discoverSegments: begun } = await client.ask<{
    discoverSegments: { userErrors: { message: string }[] };
  }>('mutation { discoverSegments { userErrors { message } } }');
  if (begun.userErrors[0]) throw new Error(begun.userErrors[0].message);
  await within(async () => {
    const { segmentDiscovery } = await client.ask<{ segmentDiscovery: Discovery | null }>(DISCOVERY);
    if (segmentDiscovery?.state === 'FAILED')
      throw new Error(segmentDiscovery.failure?.message ?? 'no reason was given');
    return segmentDiscovery?.state === 'SUCCEEDED' ? true : null;
  });
  return 'done';
}

/** Asks again and again until there is an answer. */
async function within<T>(probe: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + LIMIT_MS;
  while (Date.now() < deadline) {
    const answer = await probe();
    if (answer !== null) return answer;
    await sleep(POLL_MS);
  }
  throw new Error(`it took longer than ${LIMIT_MS / 60_000} minutes`);
}
