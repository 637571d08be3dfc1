import { readFloat64, toFeatureTable } from '@sextant/inference-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRepository, publishLead, publishUplift, type TestRepository } from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 10_000 };

describe('ChooseActions', () => {
  let repository: TestRepository;
  let worker: TestWorker;
  beforeAll(async () => {
    repository = await aRepository();
    await publishUplift(repository.directory);
    await publishLead(repository.directory);
    worker = await startTestWorker(repository.directory.root);
  });
  afterAll(async () => {
    await worker.stop();
    await repository.remove();
  });
  const ask = (xs: readonly number[], model = 'demo.uplift') =>
    worker.client.chooseActions({ model, rows: toFeatureTable(xs.map((x) => ({ x }))) }, within);

  it('answers the probability without an action and the difference that each makes', async () => {
    const answer = await ask([0, 1, -1]);
    const [without, uplift] = [answer.without, answer.uplift].map(readFloat64);
    [0.5, 0.7310586, 0.2689414].forEach((p, i) => expect(without?.[i]).toBeCloseTo(p, 6));
    [0, 0.1, -0.1].forEach((effect, i) => expect(uplift?.[i]).toBeCloseTo(effect, 6));
    expect(answer).toMatchObject({
      actions: [{ id: 'mail', channel: 'email', cost: 0.5 }],
      refused: [{ id: 'fax', channel: '', because: 'no model beats random targeting' }],
      goal: 'retain',
      horizonDays: 14,
      outcomeValue: 40,
      currency: 'EUR',
      sureFrom: 0.5,
      servedBy: { model: 'demo.uplift', batchSize: 3 },
    });
  });

  it('takes the interval from the bin of that effect, widened to hold it', async () => {
    const { upliftLow, upliftHigh } = await ask([1, -1, 4]);
    const [low, high] = [readFloat64(upliftLow), readFloat64(upliftHigh)];
    expect([low[0], high[0]]).toEqual([expect.closeTo(0.05, 6), expect.closeTo(0.12, 6)]);
    expect([low[1], high[1]]).toEqual([expect.closeTo(-0.3, 6), expect.closeTo(0.1, 6)]);
    // σ(4) + 0.4 is more than 1: the effect ends where the probability does
    expect([low[2], high[2]]).toEqual([expect.closeTo(1 - 0.9820138, 6), expect.closeTo(0.12, 6)]);
  });

  it('refuses a model of another task by name', async () => {
    await expect(ask([1], 'demo.lead')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
