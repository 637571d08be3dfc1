import { type ScoreLeadsResponse, toFeatureTable } from '@sextant/inference-protocol';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { aRepository, publishLead, type TestRepository } from '../testing/test-models.js';
import { sample, startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 10_000 };
let repository: TestRepository;
let worker: TestWorker | undefined;

beforeAll(async () => {
  repository = await aRepository();
  await publishLead(repository.directory);
});
afterAll(() => repository.remove());
afterEach(() => worker?.stop());

async function ask(target: TestWorker, rows: number): Promise<ScoreLeadsResponse> {
  const table = toFeatureTable(Array.from({ length: rows }, (_, i) => ({ visits: i, channel: 'web' })));
  return target.client.scoreLeads({ model: 'demo.lead', rows: table, explain: true }, within);
}

describe('attributions that cannot be made', () => {
  it('leave the scores whole where the answer with them would be longer than a message, and the answer says so', async () => {
    worker = await startTestWorker(repository.directory.root, { INFERENCE_MAX_MESSAGE_BYTES: '6000' });
    const few = await ask(worker, 3);
    expect(few.explanationRefused).toBe('');
    expect(few.scores[0]?.attribution?.contributions).toHaveLength(2);

    const many = await ask(worker, 60);
    expect(many.explanationRefused).toBe('BATCH_TOO_LARGE');
    expect(many.scores).toHaveLength(60);
    expect(many.scores.every(({ attribution }) => attribution === null)).toBe(true);
    expect(many.scores.slice(0, 3).map(({ probability }) => probability)).toEqual(
      few.scores.map(({ probability }) => probability),
    );
    expect(many.servedBy).toMatchObject({ model: 'demo.lead', version: '1', device: 'CPU' });
    const counted = 'sextant_inference_explanations_refused_total{rpc="ScoreLeads",code="BATCH_TOO_LARGE"}';
    expect(sample(await worker.metrics(), counted)).toBe(1);
  });

  it('leave the scores whole where their queue is full', async () => {
    const target = await startTestWorker(repository.directory.root, {
      INFERENCE_QUEUE_ROWS: '64',
      INFERENCE_MAX_REQUEST_ROWS: '64',
    });
    worker = target;
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => ask(target, 64)));

    const served = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const without = served.filter(({ explanationRefused }) => explanationRefused === 'QUEUE_FULL');
    expect(without.length).toBeGreaterThan(0);
    for (const { scores, explanationRefused } of served) {
      expect(scores).toHaveLength(64);
      for (const { attribution } of scores) expect(attribution === null).toBe(explanationRefused !== '');
    }
  });
});

describe('an answer longer than a message', () => {
  it('is refused by name', async () => {
    worker = await startTestWorker(repository.directory.root, { INFERENCE_MAX_MESSAGE_BYTES: '2000' });
    await expect(ask(worker, 50)).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE' });
  });
});
