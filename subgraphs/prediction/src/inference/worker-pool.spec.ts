import { loadConfig } from '@sextant/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predictionConfig } from '../prediction.config.js';
import { aPrediction, leadForm, type Prediction, until } from '../testing/prediction.fixture.js';
import { FixtureWorker } from '../testing/worker.fixture.js';

const SCORE = 'query ($ids: [ID!]!) { scoreLeads(customerIds: $ids) { servedBy { rung fallbackReason } } }';

describe('prediction and its workers', () => {
  let prediction: Prediction;
  let ids: string[];
  const second = new FixtureWorker();
  beforeAll(async () => {
    await second.start();
    const first = new FixtureWorker();
    await first.start();
    prediction = await aPrediction({ env: { INFERENCE_URL: `${first.address},${second.address}` } });
    first.die();
    ids = await prediction.customers([[leadForm(1_000)], [leadForm(2_000)]]);
  });
  afterAll(async () => {
    await prediction.stop();
    second.die();
  });
  const rungs = async (customerIds: readonly string[]): Promise<string[]> => {
    const { data } = await prediction.ask(SCORE, { ids: customerIds });
    return data.scoreLeads.map(({ servedBy }: { servedBy: { rung: string } }) => servedBy.rung);
  };

  it('answers from MODEL with one of two workers away', async () => {
    for (let i = 0; i < 10; i++) expect(await rungs(ids)).toEqual(['MODEL', 'MODEL']);
    await until(
      () => prediction.metrics(),
      (metrics) =>
        metrics.includes('sextant_inference_endpoints{state="ready"} 1') &&
        metrics.includes('sextant_inference_endpoints{state="down"} 1'),
      5_000,
    );
  });

  it('tells the worker for whom it asks: a key for one customer, none for several', async () => {
    second.metadata.length = 0;
    await rungs(ids.slice(0, 1));
    await rungs(ids);
    expect(second.metadata).toMatchObject([
      { 'sextant-tenant': 'demo', 'sextant-priority': 'high', 'sextant-routing-key': ids[0] },
      { 'sextant-tenant': 'demo', 'sextant-priority': 'high' },
    ]);
    expect(second.metadata[1]).not.toHaveProperty('sextant-routing-key');
  });

  it.each([
    ['INFERENCE_URL', 'http://worker:50051'],
    ['INFERENCE_HEDGE', 'p9'],
    ['INFERENCE_MAX_ATTEMPTS', '0'],
  ])('has no configuration with %s=%s', (name, value) => {
    const env = { MONGODB_URI: 'mongodb://127.0.0.1/x', SEXTANT_SIGNING_SECRET: 'x'.repeat(32) };
    expect(loadConfig(predictionConfig, env)).toBeDefined();
    expect(() => loadConfig(predictionConfig, { ...env, [name]: value })).toThrow(name);
  });
});
