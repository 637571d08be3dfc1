import { ROLE_SCOPES } from '@sextant/domain';
import type { StoredEvent } from '@sextant/features';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction, viewed } from '../testing/prediction.fixture.js';

const CUSTOMERS = (selection: string): string =>
  `query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Customer { ${selection} } } }`;
const of = (...ids: (string | undefined)[]) => ({ ids: ids.map((id) => ({ __typename: 'Customer', id })) });
const newsletter = (takes: boolean): Partial<StoredEvent> => ({
  type: 'profile_update',
  at: new Date(),
  properties: { newsletter: takes },
});
const FIELDS = `nextBestAction(goal: "retain") { decisionId action channel uplift { value low high } expectedNet { amount currency }
  segment alternatives { action } suppressed { action because } servedBy { rung fallbackReason } model { id } }`;

describe('Customer.nextBestAction', () => {
  let prediction: Prediction;
  let ids: string[];
  beforeAll(async () => {
    prediction = await aPrediction();
    ids = await prediction.customers([
      [viewed('p1'), newsletter(true)],
      [viewed('p1'), newsletter(false)],
      [viewed('p1'), newsletter(true)],
    ]);
  });
  afterAll(() => prediction.stop());
  beforeEach(() => {
    prediction.worker.calls.length = 0;
  });

  it('asks the worker once for all customers, and offers what is proven and allowed', async () => {
    const { data, errors } = await prediction.ask(CUSTOMERS(FIELDS), of(...ids.slice(0, 2)));
    expect(errors).toBeUndefined();
    expect(prediction.worker.calls).toEqual(['ChooseActions']);
    const [reader, unsubscribed] = data._entities;
    expect(reader.nextBestAction).toMatchObject({
      action: 'mail',
      channel: 'email',
      expectedNet: { amount: '4.00', currency: 'EUR' },
      segment: 'PERSUADABLE',
      servedBy: { rung: 'MODEL' },
      model: { id: 'demo.uplift@7' },
    });
    expect(reader.nextBestAction.suppressed.map(({ action }: { action: string }) => action)).toEqual([
      'fax',
      'call',
    ]);
    expect(unsubscribed.nextBestAction).toMatchObject({
      action: 'none',
      channel: null,
      expectedNet: { amount: '0.00' },
    });
  });

  it('keeps the decision with its propensity, behind its own scope', async () => {
    const { data } = await prediction.ask(CUSTOMERS(FIELDS), of(ids[0]));
    const id = data._entities[0].nextBestAction.decisionId as string;
    const query = 'query ($id: ID!) { decision(id: $id) { kind propensity output } }';
    expect((await prediction.ask(query, { id })).data.decision).toMatchObject({
      kind: 'uplift',
      propensity: 1,
      output: { action: 'mail', goal: 'retain' },
    });
    const web = anIdentity({ scopes: ROLE_SCOPES.web });
    const refused = await prediction.ask(CUSTOMERS(FIELDS), of(ids[0]), web);
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('names the goal there is', async () => {
    const { errors } = await prediction.ask(CUSTOMERS('nextBestAction(goal: "win") { action }'), of(ids[0]));
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
    expect(errors?.[0]?.message).toContain('ask with goal "retain"');
  });

  it('does nothing where no model answers', async () => {
    prediction.worker.die();
    const { data, errors } = await prediction.ask(CUSTOMERS(FIELDS), of(ids[2]));
    expect(errors).toBeUndefined();
    expect(data._entities[0].nextBestAction).toMatchObject({
      action: 'none',
      segment: null,
      servedBy: { rung: 'HEURISTIC', fallbackReason: 'INFERENCE_UNAVAILABLE' },
      model: { id: 'heuristic.no-action@1' },
    });
    await prediction.worker.start();
  });
});
