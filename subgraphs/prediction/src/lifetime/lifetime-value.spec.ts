import { ROLE_SCOPES } from '@sextant/domain';
import { DAY_MS, type StoredEvent } from '@sextant/features';
import { readFloat64 } from '@sextant/inference-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction, viewed } from '../testing/prediction.fixture.js';

const CUSTOMERS = (selection: string): string =>
  `query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Customer { ${selection} } } }`;
const of = (...ids: (string | undefined)[]) => ({ ids: ids.map((id) => ({ __typename: 'Customer', id })) });
const ordered = (daysAgo: number, unitPrice: string): Partial<StoredEvent> => ({
  type: 'order',
  at: new Date(Date.now() - daysAgo * DAY_MS),
  properties: { currency: 'CHF', lines: [{ productId: 'p1', quantity: 2, unitPrice }] },
});

describe('Customer.lifetimeValue', () => {
  let prediction: Prediction;
  /** bought on three days, bought once, never bought, and one about whom nobody asks while the worker lives */
  let ids: string[];
  beforeAll(async () => {
    prediction = await aPrediction();
    ids = await prediction.customers([
      [ordered(100, '40.00'), ordered(60, '10.00'), ordered(20, '20.00')],
      [ordered(30, '25.00')],
      [viewed('p1')],
      [ordered(200, '10.00'), ordered(100, '30.00')],
    ]);
  });
  afterAll(() => prediction.stop());
  beforeEach(() => {
    prediction.worker.calls.length = 0;
    prediction.worker.requests.length = 0;
  });
  const ask = (selection: string, ...who: (string | undefined)[]) =>
    prediction.ask(CUSTOMERS(selection), of(...who));

  it('asks the worker once, whatever the number of customers and horizons, and of nobody who never ordered', async () => {
    const { data, errors } = await ask(
      `lifetimeValue { value { amount currency } interval { value low high level } probabilityAlive expectedPurchases horizonDays
         servedBy { rung } model { id } explanation { method } }
       quarter: lifetimeValue(horizonDays: 90) { expectedPurchases decisionId } again: lifetimeValue(horizonDays: 90) { decisionId }`,
      ...ids.slice(0, 3),
    );
    expect(errors).toBeUndefined();
    expect(prediction.worker.calls).toEqual(['ForecastValue']);
    const { customers } = prediction.worker.requests[0] as { customers: Buffer };
    expect([...readFloat64(customers)].slice(0, 6)).toEqual([2, 80, 100, 30, 140 / 3, 365]);
    expect(readFloat64(customers)).toHaveLength(4 * 6);
    const [three, one, never] = data._entities;
    expect(three.lifetimeValue).toMatchObject({
      value: { amount: '109.50', currency: 'USD' },
      interval: { low: 54.75, high: 219, level: 0.9 },
      expectedPurchases: 3.65,
      horizonDays: 365,
      servedBy: { rung: 'MODEL' },
      model: { id: 'demo.lifetime@7' },
      explanation: null,
    });
    expect(three.lifetimeValue.probabilityAlive).toBeCloseTo(1 / 1.2, 12);
    expect(three.quarter).toEqual({ expectedPurchases: 0.9, decisionId: three.again.decisionId });
    expect(one.lifetimeValue.value.amount).toBe('36.50');
    expect(never).toEqual({ lifetimeValue: null, quarter: null, again: null });
  });

  it('keeps the decision with what it was decided on, behind its own scope', async () => {
    const { data } = await ask('lifetimeValue { decisionId __typename }', ids[0]);
    const id = data._entities[0].lifetimeValue.decisionId as string;
    const query = 'query ($id: ID!) { decision(id: $id) { kind subject output } }';
    expect((await prediction.ask(query, { id })).data.decision).toMatchObject({
      kind: 'lifetime',
      subject: ids[0],
      output: { value: 109.5, currency: 'USD', horizonDays: 365 },
    });
    const web = anIdentity({ scopes: ROLE_SCOPES.web });
    expect((await prediction.ask(query, { id }, web)).data.decision).toBeNull();
    const refused = await prediction.ask(CUSTOMERS('lifetimeValue { horizonDays }'), of(ids[0]), web);
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const analyst = anIdentity({ scopes: ROLE_SCOPES.analyst });
    const seen = await prediction.ask(CUSTOMERS('lifetimeValue { horizonDays }'), of(ids[0]), analyst);
    expect(seen.data._entities[0].lifetimeValue.horizonDays).toBe(365);
  });

  it.each([0, 731, -5])('refuses a horizon of %d days by name', async (horizonDays) => {
    const { errors } = await ask(`lifetimeValue(horizonDays: ${horizonDays}) { horizonDays }`, ids[0]);
    expect(errors?.[0]).toMatchObject({
      message: `horizonDays must be an integer between 1 and 730, got ${horizonDays}`,
      extensions: { code: 'INVALID_INPUT' },
    });
  });

  it('names strangers, and answers the rest', async () => {
    const { data, errors } = await ask('lifetimeValue { horizonDays }', 'cus_nobody', ids[0]);
    expect(data._entities.map((each: { lifetimeValue: unknown }) => each.lifetimeValue)).toEqual([
      null,
      { horizonDays: 365 },
    ]);
    expect(errors?.[0]?.extensions.code).toBe('CUSTOMER_NOT_FOUND');
  });

  it('falls to the cache, then to the repeat rate at the mean order value', async () => {
    await ask('lifetimeValue { value { amount } }', ids[0]);
    prediction.worker.die();
    const selection =
      'lifetimeValue { value { amount currency } interval { low high } expectedPurchases probabilityAlive servedBy { rung fallbackReason } model { id } }';
    const { data, errors } = await ask(selection, ids[0], ids[3], ids[2]);
    expect(errors).toBeUndefined();
    const [cached, ruled, never] = data._entities;
    expect(cached.lifetimeValue).toMatchObject({
      value: { amount: '109.50', currency: 'USD' },
      servedBy: { rung: 'CACHE' },
    });
    // 1 repeat in 200 days, 365 days ahead, at the mean of 20 and 60
    expect(ruled.lifetimeValue).toMatchObject({
      value: { amount: '73.00', currency: 'CHF' },
      interval: { low: 0, high: 3 * 73 + 40 },
      expectedPurchases: 1.825,
      probabilityAlive: 1,
      servedBy: { rung: 'HEURISTIC', fallbackReason: 'INFERENCE_UNAVAILABLE' },
      model: { id: 'heuristic.repeat-rate@1' },
    });
    expect(never.lifetimeValue).toBeNull();
    await prediction.worker.start();
  });
});
