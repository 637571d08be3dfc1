import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, ModelDirectory, TASKS } from '@sextant/artefacts';
import { customerIdOf, EventHistory, EVENTS_COLLECTION, eventKey, type StoredEvent } from '@sextant/features';
import { TrainingMembers } from '@sextant/model-registry';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram, type SentEvent, simulatedEvents } from './trainer-process.js';

const TENANT = 'demo';
/** After the last event, and long before the test runs. */
const PERIOD = { from: '2025-09-10T00:00:00Z', to: '2026-01-01T00:00:00Z' };
const LIMIT_MS = 240_000;

let mongo: TestMongo;
let client: MongoClient;
let folder: string;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  folder = await mkdtemp(join(tmpdir(), 'sextant-reproducible-'));
  const events = (await simulatedEvents(join(folder, 'company'), 600)).map(stored);
  await store('first', events);
  await store('second', events.toReversed());
});
afterAll(async () => {
  await client?.close();
  await mongo?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

function stored({ id, type, at, customerRef, properties = {} }: SentEvent): StoredEvent {
  const event: StoredEvent = {
    _id: eventKey(TENANT, id),
    tenantId: TENANT,
    type,
    at: new Date(at),
    properties,
  };
  return customerRef === undefined ? event : { ...event, customerId: customerIdOf(TENANT, customerRef) };
}

const databaseOf = (name: string): Db => client.db(`${client.db().databaseName}_${name}`);
const uriOf = (name: string): string => {
  const uri = new URL(mongo.uri);
  uri.pathname = `/${databaseOf(name).databaseName}`;
  return uri.href;
};

async function store(name: string, events: readonly StoredEvent[]): Promise<void> {
  await new EventHistory(databaseOf(name)).createIndexes();
  await databaseOf(name).collection<StoredEvent>(EVENTS_COLLECTION).insertMany(events);
}

/** Trains in a process of its own. @returns the manifest of what it published */
async function train(name: string, task: string, env: Record<string, string> = {}): Promise<Manifest> {
  const models = join(folder, `models-${name}`);
  await runProgram(
    'trainer',
    [
      ...['train', '--task', task, '--tenant', TENANT, '--seed', '7'],
      ...['--data-from', PERIOD.from, '--data-to', PERIOD.to],
    ],
    { MONGODB_URI: uriOf(name), MODEL_REPOSITORY: models, ...env },
  );
  const { manifest } = await new ModelDirectory(models).readVersion(`${TENANT}.${task}`, 1);
  if (manifest === null) throw new Error(`${task} was published without a manifest`);
  return manifest;
}

describe.each(TASKS)('training %s twice, in two processes', (task) => {
  it(
    'gives the same files, byte by byte, whatever the order of the rows in the store and the zone of the machine',
    { timeout: LIMIT_MS },
    async () => {
      const [first, second] = await Promise.all([
        train('first', task),
        train('second', task, { TZ: 'Pacific/Auckland', LANG: 'de_DE.UTF-8', UV_THREADPOOL_SIZE: '1' }),
      ]);
      expect(first.files.map(({ path }) => path)).toContain('model.onnx');
      expect({ ...second, trainedAt: '' }).toEqual({ ...first, trainedAt: '' });
      expect(first).toMatchObject({ seed: 7, dataTo: '2026-01-01T00:00:00.000Z' });

      const [versionId, members] = [`${TENANT}.${task}@1`, new TrainingMembers(databaseOf('first'))];
      const learnt = (await members.countMany(TENANT, [versionId])).get(versionId) ?? 0;
      expect(learnt).toBeGreaterThan(20);
      expect(await new TrainingMembers(databaseOf('second')).countMany(TENANT, [versionId])).toEqual(
        new Map([[versionId, learnt]]),
      );
    },
  );
});
