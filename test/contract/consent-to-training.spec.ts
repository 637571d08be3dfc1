import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';
import { runProgram, simulatedEvents } from './trainer-process.js';

const BATCH = 5_000;
const LIMIT_MS = 240_000;

let mongo: TestMongo;
let folder: string;
let graph: RunningGraph;
let token: string;
/** A customer with orders from the beginning to the end. */
let regular: string;
beforeAll(async () => {
  mongo = await startTestMongo();
  folder = await mkdtemp(join(tmpdir(), 'sextant-consent-'));
  graph = await startGraph({ env: { MONGODB_URI: mongo.uri } });
  token = await graph.tokenOf('operator');
  const events = await simulatedEvents(join(folder, 'company'), 300);
  for (let start = 0; start < events.length; start += BATCH) {
    const batch = events.slice(start, start + BATCH);
    await asked('mutation($e: [EventInput!]!) { ingestEvents(events: $e) { accepted } }', { e: batch });
  }
  const orders = Map.groupBy(
    events.filter(({ type }) => type === 'order'),
    ({ customerRef = '' }) => customerRef,
  );
  regular = [...orders].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? '';
}, LIMIT_MS);
afterAll(async () => {
  await graph?.stop();
  await mongo?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const asked = <T>(query: string, variables: Record<string, unknown> = {}): Promise<T> =>
  askOk<T>(graph.url, token, query, variables);

const train = (task: string) =>
  runProgram('trainer', ['train', '--task', task, '--tenant', 'demo'], {
    MONGODB_URI: mongo.uri,
    MODEL_REPOSITORY: join(folder, 'models'),
  });

async function versionsTrainedOn(customerRef: string): Promise<string[]> {
  const query = 'query($ref: ID!) { trainedOn(customerRef: $ref) { id } }';
  const { trainedOn } = await asked<{ trainedOn: { id: string }[] }>(query, { ref: customerRef });
  return trainedOn.map(({ id }) => id).toSorted();
}

const say = (state: 'DENIED' | 'GRANTED') =>
  asked(
    'mutation($i: SetConsentInput!) { setConsent(input: $i) { customer { id } userErrors { message } } }',
    { i: { customerRef: regular, purpose: 'TRAINING', state } },
  );

describe('a customer who withdraws the consent to training', () => {
  it.each(['lifetime', 'churn', 'recommend'])(
    'is in no later version of %s, stays named for the earlier one, and is back once it is granted again',
    async (task) => {
      const version = (number: number) => `demo.${task}@${number}`;
      const own = async () => (await versionsTrainedOn(regular)).filter((id) => id.includes(`.${task}@`));
      await train(task);
      expect(await own()).toEqual([version(1)]);

      await say('DENIED');
      await train(task);
      expect(await own()).toEqual([version(1)]);

      await say('GRANTED');
      await train(task);
      expect(await own()).toEqual([version(1), version(3)]);

      const { model } = await asked<{ model: { versions: { trainingCustomers: number }[] } }>(
        `{ model(id: "${task}") { versions { trainingCustomers } } }`,
      );
      const [third = 0, second = 0, first = 0] = model.versions.map((version) => version.trainingCustomers);
      expect(first - second).toBe(1);
      expect(third).toBe(first);
    },
    LIMIT_MS,
  );
});
