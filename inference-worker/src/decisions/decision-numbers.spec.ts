import { decisionsService, type Slate } from '@sextant/inference-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRepository, publishLead, publishRecommender, type TestRepository } from '../testing/test-models.js';
import { eventually, sample, startTestWorker, type TestWorker } from '../testing/test-worker.js';
import { numbersOf } from './decision-numbers.js';

function encode(rpc: string, response: object): Uint8Array {
  return decisionsService[rpc]?.responseSerialize(response) ?? new Uint8Array();
}

describe('numbersOf', () => {
  it('finds the scores of slates and of rows, zeros included', () => {
    const item = (score: number) => ({ item: 'a', score, reasons: [{ becauseOf: 'b', contribution: 9 }] });
    const slates: Partial<Slate>[] = [
      { items: [item(0.5), item(0)] as Slate['items'] },
      { items: [item(2)] as Slate['items'] },
    ];
    expect([...numbersOf('Recommend', encode('Recommend', { slates }))]).toEqual([0.5, 0, 2]);
    const scores = [{ probability: 0.25, low: 0.1 }, { probability: 0 }];
    expect([...numbersOf('ScoreLeads', encode('ScoreLeads', { scores, horizonDays: 30 }))]).toEqual([
      0.25, 0,
    ]);
    const quotes = [{ priceMinor: 1099, expectedUnits: 3 }];
    expect([...numbersOf('QuotePrices', encode('QuotePrices', { quotes }))]).toEqual([1099]);
  });

  it('finds the column of rows', () => {
    const expectedUnits = Buffer.from(Float64Array.of(1, 0, 3).buffer);
    expect([...numbersOf('PredictDemand', encode('PredictDemand', { expectedUnits }))]).toEqual([1, 0, 3]);
  });
});

describe('a shadow version', () => {
  const within = { deadlineMs: 10_000 };
  let repository: TestRepository;
  let worker: TestWorker;
  beforeAll(async () => {
    repository = await aRepository();
    const { directory } = repository;
    const prior = (scale: number) => Float32Array.from([0, 0, 0, 0, scale, 2 * scale]);
    await publishRecommender(directory, { items: ['a', 'b'], matrix: prior(1) });
    await publishRecommender(directory, { items: ['a', 'b'], matrix: prior(4) });
    await publishLead(directory);
    await directory.setLiveVersion('demo.recommend', 1);
    await directory.setServing('demo.recommend', { shadow: { version: 2, share: 1 } });
    worker = await startTestWorker(directory.root);
  });
  afterAll(async () => {
    await worker.stop();
    await repository.remove();
  });

  it('decides beside the answers: how far its numbers are apart is counted, and nobody sees them', async () => {
    const of = async (name: string): Promise<number> =>
      sample(await worker.metrics(), `sextant_model_shadow_${name}`);
    await eventually(async () => {
      const { slates, servedBy } = await worker.client.recommend(
        { model: 'demo.recommend', rows: [{ history: [], first: 2 }] },
        within,
      );
      expect(servedBy.version).toBe('1');
      expect(slates[0]?.items.map(({ score }) => score)).toEqual([2, 1]);
      return (await of('runs_total{model="demo.recommend",version="2",outcome="ok"}')) > 0;
    });
    expect(await of('absolute_difference_max{model="demo.recommend",version="2"}')).toBe(6);
  });
});
