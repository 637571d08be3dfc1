import { DAY_MS } from '@sextant/features';
import { ROLE_SCOPES } from '@sextant/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, leadForm, type Prediction, viewed } from '../testing/prediction.fixture.js';

const CUSTOMERS = (selection: string): string =>
  `query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Customer { ${selection} } } }`;
const of = (...ids: (string | undefined)[]) => ({
  ids: ids.map((id) => ({ __typename: 'Customer', id })),
});
const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
const ordered = (days: number) => ({ ...viewed('p1', ago(days)), type: 'order', properties: { lines: [] } });

describe('churn risk and purchase likelihood', () => {
  let prediction: Prediction;
  /** a customer of today, one of 80 days ago, one who left, a visitor, a lead */
  let ids: string[];
  /** a customer of 80 days ago about whom nobody asks while the worker lives */
  let unasked: string | undefined;
  beforeAll(async () => {
    prediction = await aPrediction();
    const made = await prediction.customers([
      [ordered(0.5)],
      [ordered(80)],
      [ordered(91)],
      [viewed('p1', ago(1))],
      [leadForm(5000)],
      [ordered(80)],
    ]);
    unasked = made.at(-1);
    ids = made.slice(0, -1);
  });
  afterAll(() => prediction.stop());
  beforeEach(() => {
    prediction.worker.calls.length = 0;
    prediction.worker.requests.length = 0;
  });
  const ask = (selection: string, ...who: (string | undefined)[]) =>
    prediction.ask(CUSTOMERS(selection), of(...who));

  it('asks the worker once for each score, however many customers', async () => {
    const { data, errors } = await ask(
      `churnRisk { probability band playbook { dueWithin } servedBy { rung } model { id } }
       purchaseLikelihood { probability band playbook { owner } interval { low high level } percentile } leadScore { band }
       again: churnRisk(horizonDays: 30) { decisionId } why: churnRisk(horizonDays: null) { explanation { method } }`,
      ...ids,
    );
    expect(errors).toBeUndefined();
    expect(
      prediction.worker.requests.map((request) => (request as { model: string }).model).toSorted(),
    ).toEqual(['demo.churn', 'demo.lead', 'demo.purchase']);
    const [today, late] = data._entities;
    expect(today.churnRisk).toMatchObject({
      band: 'LOW',
      playbook: null,
      servedBy: { rung: 'MODEL' },
      model: { id: 'demo.churn@7' },
    });
    expect(late.churnRisk).toMatchObject({ band: 'HIGH', playbook: { dueWithin: 'P2D' } });
    expect(late.churnRisk.probability).toBeCloseTo(0.8, 2);
    expect(today.purchaseLikelihood).toMatchObject({
      probability: 0.2,
      band: 'MEDIUM',
      playbook: { owner: 'marketing' },
      interval: { low: 0.1, high: 0.4, level: 0.9 },
    });
    expect(today.leadScore.band).toBe('COLD');
    expect(today.why.explanation.method).toBe('linear');
  });

  it('asks the worker for as many contributions as the query shows at most', async () => {
    const asked = async (fields: string, variables: object = {}): Promise<unknown> => {
      prediction.worker.requests.length = 0;
      const query = `query ($ids: [_Any!]!, $top: Int, $other: Int = 9) { _entities(representations: $ids) { ... on Customer { ${fields} } }
        all: _entities(representations: []) { ... on Customer { churnRisk { explanation(top: $top) { method } other: explanation(top: $other) { method } } } } }`;
      await prediction.ask(query, { ...of(ids[0]), ...variables });
      const [request] = prediction.worker.requests as { explain: boolean; topContributions: number }[];
      return request && [request.explain, request.topContributions];
    };
    expect(await asked('churnRisk { probability }')).toEqual([false, 0]);
    expect(await asked('churnRisk { explanation { method } }')).toEqual([true, 5]);
    expect(await asked('churnRisk { explanation(top: null) { method } }')).toEqual([true, 5]);
    expect(await asked('churnRisk { explanation(top: 3) { method } }')).toEqual([true, 3]);
    expect(await asked('churnRisk { explanation(top: $top) { method } }')).toEqual([true, 5]);
    expect(await asked('churnRisk { explanation(top: $other) { method } }')).toEqual([true, 9]);
    expect(await asked('churnRisk { explanation(top: $top) { method } }', { top: 2 })).toEqual([true, 2]);
    expect(await asked('churnRisk { explanation(top: 70) { method } }')).toEqual([true, 50]);
    expect(
      await asked(
        `churnRisk { probability ... { explanation(top: 2) { method } more: explanation(top: 4) { method } } }
         again: churnRisk { explanation(top: 7) { method } }`,
      ),
    ).toEqual([true, 7]);
  });

  it('says of whom a churn risk is a guess: who never ordered, or was away for more than 90 days', async () => {
    const { data } = await ask('churnRisk { basis } purchaseLikelihood { basis }', ...ids);
    const bases = (field: string) =>
      data._entities.map((customer: Record<string, { basis: string }>) => customer[field]?.basis);
    expect(bases('churnRisk')).toEqual(['BEHAVIOUR', 'BEHAVIOUR', 'UNFAMILIAR', 'UNFAMILIAR', 'UNFAMILIAR']);
    expect(new Set(bases('purchaseLikelihood'))).toEqual(new Set(['BEHAVIOUR']));
  });

  it('refuses a horizon that the model was not trained for, names the one there is, and answers the rest', async () => {
    const { data, errors } = await ask(
      'churnRisk(horizonDays: 60) { probability } fine: churnRisk { probability } purchaseLikelihood(horizonDays: 30) { probability }',
      ids[0],
    );
    expect(data._entities[0]).toMatchObject({ churnRisk: null, fine: { probability: expect.any(Number) } });
    expect(errors?.map(({ message, extensions: { code } }) => [code, message]).toSorted()).toEqual([
      ['INVALID_INPUT', expect.stringContaining('churn is foretold for 30 days, not for 60')],
      ['INVALID_INPUT', expect.stringContaining('purchase is foretold for 7 days, not for 30')],
    ]);
    for (const wrong of [0, 367, -1]) {
      const refused = await ask(`churnRisk(horizonDays: ${wrong}) { probability }`, ids[0]);
      expect(refused.errors?.[0]).toMatchObject({
        message: expect.stringContaining('between 1 and 366'),
        extensions: { code: 'INVALID_INPUT' },
      });
    }
  });

  it('keeps each as a decision of its kind, behind the scope of its kind', async () => {
    const { data } = await ask('churnRisk { decisionId } purchaseLikelihood { decisionId }', ids[1]);
    const query = 'query ($id: ID!) { decision(id: $id) { kind subject modelVersion output } }';
    const { decisionId: id } = data._entities[0].churnRisk;
    expect((await prediction.ask(query, { id })).data.decision).toMatchObject({
      kind: 'churn',
      subject: ids[1],
      modelVersion: 'demo.churn@7',
      output: { band: 'HIGH', basis: 'BEHAVIOUR' },
    });
    const analyst = anIdentity({ scopes: ROLE_SCOPES.analyst });
    expect((await prediction.ask(query, { id }, analyst)).data.decision.kind).toBe('churn');
    const web = anIdentity({ scopes: ROLE_SCOPES.web });
    expect((await prediction.ask(query, { id }, web)).data.decision).toBeNull();
    const refused = await prediction.ask(
      CUSTOMERS('churnRisk { probability } purchaseLikelihood { probability }'),
      of(ids[1]),
      web,
    );
    expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  });

  it('falls to the cache, then to a rule of recency, and never mixes horizons up', async () => {
    const both = `churnRisk { probability basis model { id } servedBy { rung fallbackReason } interval { level } }
      purchaseLikelihood { probability band model { id } servedBy { rung } }`;
    await ask(both, ids[0]);
    prediction.worker.die();
    try {
      const { data, errors } = await ask(both, ids[0], unasked);
      expect(errors).toBeUndefined();
      const [known, fresh] = data._entities;
      expect(known.churnRisk).toMatchObject({ model: { id: 'demo.churn@7' }, servedBy: { rung: 'CACHE' } });
      expect(known.purchaseLikelihood.servedBy.rung).toBe('CACHE');
      expect(fresh.churnRisk).toMatchObject({
        basis: 'BEHAVIOUR',
        model: { id: 'heuristic.recency@1' },
        servedBy: { rung: 'HEURISTIC', fallbackReason: 'INFERENCE_UNAVAILABLE' },
        interval: { level: 0.8 },
      });
      expect(fresh.purchaseLikelihood).toMatchObject({ band: 'LOW', model: { id: 'heuristic.recency@1' } });
      const other = await ask('churnRisk(horizonDays: 60) { probability }', ids[0]);
      expect(other.errors?.[0]?.message).toContain('for 30 days, not for 60');
    } finally {
      await prediction.worker.start();
    }
  });

  it('gives a stranger, and another tenant, a code', async () => {
    const { data, errors } = await ask('churnRisk { probability }', 'cus_unknown');
    expect(data._entities[0].churnRisk).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe('CUSTOMER_NOT_FOUND');
  });
});
