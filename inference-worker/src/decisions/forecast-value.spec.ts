import { float64Bytes, readFloat64 } from '@sextant/inference-protocol';
import { forecastLifetime, toHistories } from '@sextant/learning/lifetime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aRepository,
  LIFETIME_MODEL,
  publishLead,
  publishLifetime,
  type TestRepository,
} from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 10_000 };
/** repeats, recency and age in days, mean value of repeats and of all, days ahead */
const CUSTOMERS = [
  [2, 213, 272, 22.35, 25, 273],
  [0, 0, 272, Number.NaN, 30, 365],
  [29, 260, 272, 60, 61, 730],
  [0, 0, 0, Number.NaN, 9, 0],
];

describe('ForecastValue', () => {
  let repository: TestRepository;
  let worker: TestWorker;
  beforeAll(async () => {
    repository = await aRepository();
    await publishLifetime(repository.directory);
    await publishLead(repository.directory);
    worker = await startTestWorker(repository.directory.root);
  });
  afterAll(async () => {
    await worker.stop();
    await repository.remove();
  });
  const ask = (rows: readonly (readonly number[])[], model = 'demo.lifetime') =>
    worker.client.forecastValue({ model, customers: float64Bytes(Float64Array.from(rows.flat())) }, within);

  it('answers in days what the model was fitted for in weeks', async () => {
    const answer = await ask(CUSTOMERS);
    const columns = [answer.probabilityAlive, answer.expectedPurchases, answer.value].map(readFloat64);
    CUSTOMERS.forEach(
      ([frequency = 0, recency = 0, age = 0, meanSpend = 0, meanValue = 0, horizon = 0], i) => {
        const one = toHistories([{ frequency, recency: recency / 7, age: age / 7, meanSpend, meanValue }]);
        const expected = forecastLifetime(LIFETIME_MODEL, one, horizon / 7);
        const { probabilityAlive, expectedPurchases, value } = expected;
        [probabilityAlive, expectedPurchases, value].forEach((wanted, c) => {
          expect(columns[c]?.[i]).toBeCloseTo(wanted[0] ?? Number.NaN, 9);
        });
      },
    );
    // Fader, Hardie and Lee (2005): 1.226 purchases of this customer within 39 weeks.
    expect(columns[1]?.[0]).toBeCloseTo(1.226, 3);
    expect(answer).toMatchObject({ currency: 'USD', intervalLevel: 0.9 });
    expect(answer.servedBy).toMatchObject({ model: 'demo.lifetime', batchSize: 4, device: 'CPU' });
  });

  it('takes the interval from forecasts of the same size, never below nothing', async () => {
    const answer = await ask(CUSTOMERS);
    const [value, low, high] = [answer.value, answer.valueLow, answer.valueHigh].map(readFloat64);
    const share = [0.1, 0.1, 0.5, 0.1];
    CUSTOMERS.forEach((_, i) => {
      const at = value?.[i] ?? Number.NaN;
      const spread = (share[i] ?? 0) * (at + 35);
      expect(low?.[i]).toBeCloseTo(Math.max(0, at - spread), 9);
      expect(high?.[i]).toBeCloseTo(at + spread, 9);
    });
  });

  it.each([
    [[1.5, 1, 2, 3, 3, 4], 'customers[0] must have whole repeats'],
    [[1, 3, 2, 3, 3, 4], '0 <= recency <= age, got 1, 3, 2'],
    [[1, 1, Number.NaN, 3, 3, 4], 'got 1, 1, NaN'],
    [[1, 1, 2, 3, 3, 731], 'customers[0] must look 0 to 730 days ahead, got 731'],
    [[1, 1, 2, 3, 3, -1], 'got -1'],
    [[1, 1, 2, 3, 4], 'customers must hold rows of 6 float64, got 40 bytes'],
    [[], 'customers must hold at least one row'],
  ])('refuses the row %j', async (row, message) => {
    await expect(ask([row])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a model of another task', async () => {
    await expect(ask(CUSTOMERS, 'demo.lead')).rejects.toThrow('this call needs lifetime');
  });
});
