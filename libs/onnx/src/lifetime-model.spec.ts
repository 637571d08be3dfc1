import { seededRandom } from '@sextant/learning';
import {
  forecastLifetime,
  type LifetimeModel,
  type ProcessParameters,
  type PurchaseHistory,
  toHistories,
} from '@sextant/learning/lifetime';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { writeLifetimeModel } from './lifetime-model.js';

const LIMITS = { maxHorizon: 104, maxFrequency: 300 };
const SPEND = { p: 6.25, q: 3.74, v: 15.44 };

const model = (process: ProcessParameters): LifetimeModel => ({
  process,
  spend: SPEND,
  periodDays: 7,
  annualDiscountRate: 0.1,
});

type Customer = PurchaseHistory & { horizon: number };

async function run(written: LifetimeModel, customers: readonly Customer[]): Promise<Float64Array> {
  const { bytes } = writeLifetimeModel(written, LIMITS);
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const rows = customers.flatMap((c) => {
    const mean = written.spendBasis === 'all' ? c.meanValue : c.meanSpend;
    return [c.frequency, c.recency, c.age, mean, c.horizon];
  });
  const input = new Tensor('float64', Float64Array.from(rows), [customers.length, 5]);
  const { forecast } = await session.run({ customers: input });
  await session.release();
  return forecast?.data as Float64Array;
}

/** Of the TypeScript model, customer by customer, since each has a horizon of its own. */
function expected(written: LifetimeModel, customers: readonly Customer[]): number[] {
  return customers.flatMap((customer) => {
    const each = forecastLifetime(written, toHistories([customer]), customer.horizon);
    return [each.probabilityAlive[0] ?? 0, each.expectedPurchases[0] ?? 0, each.value[0] ?? 0];
  });
}

function randomCustomers(n: number): Customer[] {
  const random = seededRandom(7);
  return Array.from({ length: n }, () => {
    const age = random() < 0.02 ? 0 : 200 * random() ** 2;
    const frequency = age === 0 ? 0 : Math.floor(Math.min(7 * age, 60 * random() ** 4));
    return {
      frequency,
      age,
      recency: frequency === 0 ? 0 : age * random() ** 0.5,
      meanSpend: frequency === 0 || random() < 0.05 ? Number.NaN : 1 + 200 * random(),
      meanValue: random() < 0.05 ? Number.NaN : 1 + 200 * random(),
      horizon: random() < 0.05 ? 0 : 104 * random(),
    };
  });
}

const PROCESSES: ProcessParameters[] = [
  { family: 'bg-nbd', r: 0.2426, alpha: 4.4136, a: 0.7929, b: 2.4259 },
  { family: 'bg-nbd', r: 3, alpha: 60, a: 0.02, b: 0.7 },
  { family: 'bg-nbd', r: 1.2, alpha: 8, a: 1, b: 40 },
  { family: 'pareto-nbd', r: 0.5533, alpha: 10.5776, s: 0.6063, beta: 11.6728 },
  { family: 'pareto-nbd', r: 2, alpha: 1, s: 1.001, beta: 90 },
  { family: 'pareto-nbd', r: 0.05, alpha: 80, s: 4, beta: 0.5 },
  { family: 'pareto-nbd', r: 0.8, alpha: 0.02, s: 0.5, beta: 800 },
];

describe('writeLifetimeModel', () => {
  it.each(PROCESSES)('answers as the fitted $family on 10,000 customers', async (process) => {
    const spendBasis = process.family === 'bg-nbd' ? 'repeats' : 'all';
    const written: LifetimeModel = { ...model(process), spendBasis };
    const customers = randomCustomers(10_000);
    const [actual, wanted] = [await run(written, customers), expected(written, customers)];
    let [probability, relative] = [0, 0];
    for (let i = 0; i < wanted.length; i++) {
      const [is, should] = [actual[i] ?? Number.NaN, wanted[i] ?? 0];
      if (i % 3 === 0) probability = Math.max(probability, Math.abs(is - should));
      else relative = Math.max(relative, Math.abs(is - should) / Math.max(1e-9, should));
    }
    expect(actual).toHaveLength(30_000);
    expect(probability).toBeLessThan(1e-10);
    expect(relative).toBeLessThan(1e-6);
  });

  it('counts a horizon or a frequency beyond the limits as the limit', async () => {
    const [first = model({ ...PROCESSES[0] } as ProcessParameters)] = PROCESSES.map(model);
    const far = { frequency: 500, recency: 300, age: 310, meanSpend: 20, meanValue: 21, horizon: 1e4 };
    const actual = await run(first, [far]);
    const wanted = expected(first, [{ ...far, frequency: 300, horizon: 104 }]);
    wanted.forEach((value, i) => expect((actual[i] ?? 0) / value).toBeCloseTo(1, 8));
  });

  it('has no value without a spend model', async () => {
    const bare = { ...model({ family: 'bg-nbd', r: 0.24, alpha: 4.4, a: 0.8, b: 2.4 }), spend: null };
    const [alive, purchases, value] = await run(bare, [
      { frequency: 2, recency: 30, age: 38, meanSpend: 20, meanValue: 21, horizon: 39 },
    ]);
    expect([(alive ?? 0) > 0, (purchases ?? 0) > 0, value]).toEqual([true, true, Number.NaN]);
  });

  it('tells its tensors', () => {
    const { inputs, outputs, opset } = writeLifetimeModel(model(PROCESSES[3] as ProcessParameters), LIMITS);
    expect([inputs, outputs, opset]).toEqual([
      [{ name: 'customers', datatype: 'FP64', shape: [-1, 5] }],
      [{ name: 'forecast', datatype: 'FP64', shape: [-1, 3] }],
      17,
    ]);
  });
});
