import { createDecisionsClient } from '@sextant/inference-protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { printTable } from './print-table.js';
import { aRepository, publishSum, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const AGE_MS = 1_000;
const SECONDS = 6;
const CALLERS = 16;

let repository: TestRepository;
let worker: WorkerProcess;

beforeAll(async () => {
  repository = await aRepository();
  const { directory, root } = repository;
  await directory.setLiveVersion('shop.recommend', await publishSum(directory, 'shop.recommend'));
  worker = await startWorkerProcess(root, { INFERENCE_THREADS: '1', MAX_CONNECTION_AGE_MS: String(AGE_MS) });
});
afterAll(async () => {
  await worker?.kill();
  await repository?.remove();
});

it('the only worker closes every connection after a second: no call fails', async () => {
  const client = createDecisionsClient({ address: worker.address });
  const endsAt = performance.now() + SECONDS * 1000;
  const failed: string[] = [];
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      calls += 1;
      const question = { model: 'shop.recommend', rows: [{ history: ['i0'], first: 2 }] };
      const { slates } = await client.recommend(question, { deadlineMs: 10_000 }).catch((error: unknown) => {
        failed.push(String(error));
        return { slates: [] };
      });
      if (slates[0] && slates[0].items[0]?.item !== 'i3') failed.push('another item than i3');
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await client.close();
  printTable('connections of a second', [{ calls, failed: failed.length }]);

  expect(failed.slice(0, 5)).toEqual([]);
  expect(calls).toBeGreaterThan(1_000);
});
